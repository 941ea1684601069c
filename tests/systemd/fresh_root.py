"""A fresh Debian: debootstrap's minbase with systemd, made once and never changed afterwards (machines lie over it).

It is kept outside of the repository: $CLAIMSD_FRESH_ROOT, or /var/cache/claimsd-tests. Needs root, debootstrap and the Debian mirror that this host uses.
"""

import os
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(os.environ.get("CLAIMSD_FRESH_ROOT", "/var/cache/claimsd-tests/bookworm"))
SYSTEM = "systemd,systemd-sysv,dbus"
# What the packages depend on, so that each machine need not fetch it again. The packages themselves still go through apt.
USUAL = ["ca-certificates", "libcurl4", "libfmt9", "liblmdb0", "libmicrohttpd12", "libseccomp2", "libsimdjson14", "libspdlog1.10", "libssl3",
         "libuv1", "libc6", "libstdc++6", "python3-django", "python3-djangorestframework"]
TIMEOUT = 900


def why_not():
    if os.geteuid() != 0:
        return "needs root, for a fresh Debian in a directory"
    if shutil.which("debootstrap") is None:
        return "needs debootstrap, for a fresh Debian in a directory"
    return ""


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=TIMEOUT, **options)
    assert done.returncode == 0, f"{command}: {(done.stdout + done.stderr)[-3000:]}"
    return done.stdout


def make():
    """The directory; made where it is missing."""
    if ROOT.exists():
        return ROOT
    unfinished = ROOT.with_suffix(f".{os.getpid()}")
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    try:
        run("debootstrap", "--variant=minbase", f"--include={SYSTEM}", "bookworm", unfinished)
        inside = ["chroot", unfinished, "env", "DEBIAN_FRONTEND=noninteractive"]
        for name in ("etc/resolv.conf", "etc/hosts"):
            if pathlib.Path("/", name).exists():
                shutil.copy(pathlib.Path("/", name), unfinished / name)
        guard = unfinished / "usr/sbin/policy-rc.d"
        guard.write_text("#!/bin/sh\nexit 101\n")
        guard.chmod(0o755)
        run(*inside, "apt-get", "install", "--yes", "--no-install-recommends", *USUAL)
        run(*inside, "apt-get", "clean")
        guard.unlink()
        unfinished.rename(ROOT)
    finally:
        if unfinished.exists():
            shutil.rmtree(unfinished)
    return ROOT
