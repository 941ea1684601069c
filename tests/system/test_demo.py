"""The demo: its checks hold, it leaves nothing behind, and it reports a check that fails."""

import io
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

import demo
from servers import PYTHON, TESTS
from workers import parse_answer


@pytest.fixture
def start(build, scratch):
    """Starts the demo with its own TMPDIR: (process, that directory)."""

    def run(script="demo.py"):
        directory = scratch()
        process = subprocess.Popen(
            [PYTHON, "-B", str(TESTS / "system" / script), "--build", str(build)], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, env={**os.environ, "TMPDIR": str(directory)}, start_new_session=True)
        return process, directory

    return run


def processes_of(directory):
    """Processes that name the directory in their command line or work in it."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if str(directory).encode() in (process / "cmdline").read_bytes():
                found.append(process.name)
        except OSError:
            pass  # it has ended
    return found


def without_numbers(text):
    return re.sub(r"[ \n]+", " ", re.sub(r"[\d,.]+", "#", text)).strip()


def shows_the_lines_of_the_readme(said):
    """README.md shows some of the lines, in their order."""
    (screen,) = re.findall(r"^\$ \./dev demo\n(.*?)^```$", (TESTS.parent / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    shown = [without_numbers(line) for line in screen.splitlines() if line != "…"]
    printed = iter(without_numbers(line) for line in said.splitlines())
    assert len(shown) > 5
    assert [line for line in shown if line not in printed] == []  # `in` goes on from the last line that it found


def nothing_is_left(directory):
    assert processes_of(directory) == []
    assert list(directory.iterdir()) == []


def test_the_demo_holds_and_leaves_nothing_behind(start):
    began = time.monotonic()
    process, directory = start()
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 0, said
    assert "FAILED" not in said and "checks passed" in said
    for row in ("requests to the Auth API", "right after her logout", "a tampered token", "an expired token"):
        assert row in said
    assert "eyJ" not in said  # the beginning of every JWT
    shows_the_lines_of_the_readme(said)
    nothing_is_left(directory)
    assert time.monotonic() - began < 60  # under 10 s on a quiet machine


def test_the_demo_of_a_fleet_holds_and_leaves_nothing_behind(start):
    process, directory = start("fleet_demo.py")
    said = process.communicate(timeout=180)[0]
    assert process.returncode == 0, said
    assert "FAILED" not in said and "checks passed" in said
    assert "in effect on 3 of 3 hosts" in said
    assert "4 of 4 hosts are current" in said
    assert "eyJ" not in said
    nothing_is_left(directory)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(start, number):
    process, directory = start()
    for line in process.stdout:
        if "worker processes" in line:
            break
    assert processes_of(directory) != []
    os.killpg(process.pid, number)  # like Ctrl-C on a terminal
    process.communicate(timeout=60)
    assert process.returncode == 128 + number
    nothing_is_left(directory)


def answer(verdict):
    return parse_answer(f"{verdict}\treason\tcache\t0\t0\t0\t\t\t\t{{}}")


def test_a_failed_check_is_printed_and_counted():
    out = io.StringIO()
    report = demo.Report(out)
    report.verdict("ok", answer("invalid"), "invalid")
    assert report.conclude(1) == 0
    report.verdict("an outage", answer("invalid"), "unavailable")
    report.verdict("too late", answer("invalid"), "invalid", False)
    assert report.conclude(1) == 1
    assert out.getvalue().count("FAILED") == 2
    assert "2 of 3 checks failed" in out.getvalue()


def test_a_tampered_token_differs_only_in_its_claims():
    token = "e30." + demo.base64url(b'{"user_id":"user-101","exp":5}') + ".c2ln"
    other = demo.tampered(token, user_id="user-301")
    assert demo.payload_of(other) == {"user_id": "user-301", "exp": 5}
    assert (other.split(".")[0], other.split(".")[2]) == ("e30", "c2ln")
