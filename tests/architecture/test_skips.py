"""A test that is skipped for a reason not listed in tests/skips.py fails."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS))

import skips  # noqa: E402


def outcome(directory, body):
    """Exit code of a pytest run with this test body under the rule."""
    (directory / "test_one.py").write_text(f"import pytest\n\n{body}")
    return subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "skips", "test_one.py"], cwd=directory,
                          env={**os.environ, "PYTHONPATH": str(TESTS)}, capture_output=True, check=False).returncode


@pytest.mark.parametrize("body", ["def test_it():\n    pytest.skip('no time')\n", "@pytest.mark.skip(reason='no time')\ndef test_it():\n    pass\n",
                                  "@pytest.fixture\ndef it():\n    pytest.skip('no time')\n\n\ndef test_it(it):\n    pass\n"])
def test_a_skip_with_an_unlisted_reason_fails(tmp_path, body):
    assert outcome(tmp_path, body) == 1


def test_a_skip_with_a_listed_reason_passes_only_where_it_applies(tmp_path):
    for reason, applies in skips.ALLOWED.items():
        assert outcome(tmp_path, f"def test_it():\n    pytest.skip({reason!r})\n") == (0 if applies() else 1)


def test_cpp_tests_skip_only_through_the_shared_helper():
    skipping = re.compile(r'WARN\("[^"]*(skip|not run|not tested)', re.IGNORECASE)
    found = [str(path.relative_to(TESTS)) for path in TESTS.rglob("*.cc") if skipping.search(path.read_text())]
    assert found == []


def test_only_one_header_knows_the_version_of_catch():
    """Catch2 2 and 3 have other headers and namespaces: a test that names one compiles on one Debian release only."""
    versioned = re.compile(r"<catch2/|Catch::(?!Session)")
    found = [str(path.relative_to(TESTS)) for suffix in ("cc", "h") for path in TESTS.rglob(f"*.{suffix}") if versioned.search(path.read_text())]
    assert found == ["support/catch.h"]
