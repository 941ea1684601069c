"""Minimal roots of a Debian release: made once with debootstrap, kept outside the repository, never
changed afterwards.

They are stored in $CLAIMSD_MACHINES, by default /var/cache/claimsd-tests. Tests and commands run in
an overlay above such a root. A root uses the host's Debian mirror, certificate authorities and npm
registry. Needs root and debootstrap.
"""

import os
import pathlib
import re
import shutil
import subprocess

CACHE = pathlib.Path(os.environ.get("CLAIMSD_MACHINES", "/var/cache/claimsd-tests"))
SUPPORTED = ("bookworm", "trixie")
NEWER = ("forky",)  # only the Python package is tested there
TIMEOUT = 1800
SCRIPTS = pathlib.Path("/usr/share/debootstrap/scripts")
DEFAULT_MIRROR = "http://deb.debian.org/debian"
HOST_FILES = ("etc/resolv.conf", "etc/hosts", "root/.npmrc")
HOST_DIRECTORIES = ("etc/apt/auth.conf.d", "usr/local/share/ca-certificates")


def why_not():
    """Why this host cannot make such roots; "" if it can."""
    if os.geteuid() != 0:
        return "needs root, for a fresh Debian in a directory"
    if shutil.which("debootstrap") is None:
        return "needs debootstrap, for a fresh Debian in a directory"
    return ""


def running():
    """The suite of this host: VERSION_CODENAME of os-release(5)."""
    release = dict(line.split("=", 1) for line in pathlib.Path("/etc/os-release").read_text().splitlines() if "=" in line)
    return release["VERSION_CODENAME"].strip('"')


def run(*command, **options):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=TIMEOUT, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{command}: {(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def host_mirrors():
    """(mirror, security mirror or "") that apt uses for Debian on this host."""
    text = ""
    for path in [pathlib.Path("/etc/apt/sources.list"), *pathlib.Path("/etc/apt/sources.list.d").glob("*.sources"),
                 *pathlib.Path("/etc/apt/sources.list.d").glob("*.list")]:
        if path.exists():
            text += "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#")) + "\n"
    urls = re.findall(r"https?://\S+", text)
    mirrors = [url for url in urls if url.rstrip("/").endswith("/debian")]
    security = [url for url in urls if url.rstrip("/").endswith("/debian-security")]
    return mirrors[0] if mirrors else DEFAULT_MIRROR, security[0] if security else ""


def sources(suite):
    """The sources.list(5) of a root of `suite`."""
    mirror, security = host_mirrors()
    lines = [f"deb {mirror} {suite} main"]
    if suite in SUPPORTED:
        lines.append(f"deb {mirror} {suite}-updates main")
        if security:
            lines.append(f"deb {security} {suite}-security main")
    return "\n".join(lines) + "\n"


def copy_host_settings(root):
    """Copies the settings that a root needs to reach the same servers as this host."""
    for name in HOST_FILES:
        if pathlib.Path("/", name).is_file():
            shutil.copy(pathlib.Path("/", name), root / name)
    for name in HOST_DIRECTORIES:
        if pathlib.Path("/", name).is_dir():
            shutil.copytree(pathlib.Path("/", name), root / name, dirs_exist_ok=True)
    for path in pathlib.Path("/etc/apt/apt.conf.d").iterdir():
        # A file that a package of this host owns would become a conflict where the root installs that package.
        owned = subprocess.run(["dpkg-query", "--search", path], capture_output=True, check=False).returncode == 0
        if "Acquire::" in path.read_text() and not owned:
            shutil.copy(path, root / "etc/apt/apt.conf.d" / path.name)


def make(suite, name="minbase", include=(), install=()):
    """The root NAME of `suite`, made if missing.

    `include`: packages for debootstrap; `install`: packages for apt-get, installed without starting
    services.
    """
    root = CACHE / f"{suite}-{name}"
    if root.exists():
        return root
    unfinished = root.with_suffix(f".{os.getpid()}")
    unfinished.parent.mkdir(parents=True, exist_ok=True)
    try:
        included = [f"--include={','.join(include)}"] if include else []
        script = SCRIPTS / (suite if (SCRIPTS / suite).exists() else "sid")  # debootstrap does not know suites that are newer than itself
        run("debootstrap", "--variant=minbase", *included, suite, unfinished, host_mirrors()[0], script)
        copy_host_settings(unfinished)
        (unfinished / "etc/apt/sources.list").write_text(sources(suite))
        guard = unfinished / "usr/sbin/policy-rc.d"
        guard.write_text("#!/bin/sh\nexit 101\n")
        guard.chmod(0o755)
        (unfinished / "etc/dpkg/dpkg.cfg.d/unsafe-io").write_text("force-unsafe-io\n")  # see enter.sh
        inside = ["chroot", unfinished, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes"]
        run(*inside, "update")
        if install:
            run(*inside, "install", "--no-install-recommends", *install)
        run(*inside, "clean")
        guard.unlink()
        unfinished.rename(root)
    finally:
        if unfinished.exists():
            shutil.rmtree(unfinished)
    return root
