"""Runs first_five_minutes.sh: the contract document in hand, from an empty environment to the first 200."""

import os
import pathlib
import subprocess
import tempfile

import pytest

from install_for_tests import with_ccache

BUILD = pathlib.Path(os.environ.get("CLAIMSD_BUILD_DIR", "build/dev")).resolve()
STEPS = ["without claimsd, with a compiler", "without claimsd, without compiler", "with claimsd and a compiler", "with claimsd, without compiler"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_each_way_of_installing_answers_200_within_two_minutes_or_names_the_fix():
    script = pathlib.Path(__file__).with_name("first_five_minutes.sh")
    done = subprocess.run([script, str(BUILD)], capture_output=True, text=True, timeout=580, check=False,
                          env=with_ccache(os.environ, tempfile.gettempdir()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line.partition("  ")[0] for line in done.stdout.splitlines()] == [*STEPS, "the first five minutes hold"]
