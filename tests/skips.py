"""The only reasons for which a test may be skipped, and when each counts. tests/conftest.py turns any other skip into a failure.

A supported host (README.md, "Supported platforms") skips nothing: there every test runs as root, with all packages that `./dev test` installs.
"""

import os
import pathlib
import platform

import pytest


def not_root():
    return os.geteuid() != 0


def instrumented():
    """A build with sanitizers or coverage."""
    build = pathlib.Path(os.environ.get("CLAIMSD_BUILD_DIR", "build/dev"))
    cache = build / "CMakeCache.txt"
    return cache.exists() and any(line.startswith("CLAIMSD_SANITIZE:STRING=") and not line.endswith("=") for line in cache.read_text().splitlines())


def not_x86_64():
    return platform.machine() != "x86_64"


def io_uring_is_off():
    """kernel.io_uring_disabled of sysctl(8), since Linux 6.6."""
    setting = pathlib.Path("/proc/sys/kernel/io_uring_disabled")
    return setting.exists() and setting.read_text().strip() == "2"


def cores_go_to_a_program():
    """core(5): the host's kernel.core_pattern, which a test must not change."""
    return pathlib.Path("/proc/sys/kernel/core_pattern").read_text().startswith("|")


# reason of the skip: when it is allowed
ALLOWED = {
    "needs root": not_root,
    "needs a user other than the one that runs the tests": not_root,
    "a build with sanitizers has no system call filter": instrumented,
    "the system call numbers are those of x86-64": not_x86_64,
    "this kernel has io_uring switched off": io_uring_is_off,
    "this host gives cores to a program": cores_go_to_a_program,
}


def allowed(reason):
    return reason in ALLOWED and ALLOWED[reason]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if not allowed(reason):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped ({reason}), which tests/skips.py does not allow here"
