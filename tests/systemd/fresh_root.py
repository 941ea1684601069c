"""The root of the machines with a real systemd: a fresh Debian of the running suite, with systemd
and the packages' dependencies.

Kept outside the repository (tests/machine/suites.py): $CLAIMSD_MACHINES, or
/var/cache/claimsd-tests.
"""

import pathlib
import sys

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "machine"))

import suites  # noqa: E402

SYSTEMD = ["systemd", "systemd-sysv", "dbus"]
# Preinstalled, so that machines need not download them. The claimsd packages are still installed
# with apt.
DEPENDENCIES = {
    "bookworm": ["libcurl4", "libfmt9", "libhiredis0.14", "liblmdb0", "libmicrohttpd12", "libsimdjson14", "libspdlog1.10", "libssl3",
                 "libtomlplusplus3", "libuv1"],
    "trixie": ["libcurl4t64", "libfmt10", "libhiredis1.1.0", "liblmdb0", "libmicrohttpd12t64", "libsimdjson25", "libspdlog1.15",
               "libssl3t64", "libtomlplusplus3t64", "libuv1t64"],
}
EVERYWHERE = ["ca-certificates", "libseccomp2", "libstdc++6", "python3-django", "python3-djangorestframework"]

why_not = suites.why_not


def make():
    """The directory, made if missing."""
    suite = suites.running()
    return suites.make(suite, "systemd", include=SYSTEMD, install=[*EVERYWHERE, *DEPENDENCIES[suite]])
