"""For every pytest run below tests/: a skip whose reason is not in the table of skips.py is a failure."""

import pathlib
import sys

import pytest

sys.path.append(str(pathlib.Path(__file__).resolve().parent))

import skips  # noqa: E402


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not skips.allowed(reason):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped ({reason}), which tests/skips.py does not allow here"
