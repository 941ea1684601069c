#!/usr/bin/python3
"""Builds the front end outside the source tree: `build_front_end.py TARGET`.

TARGET gets the sources, node_modules/ and dist/. Packages are installed again only if
package-lock.json changed. Types are checked before the build.
"""

import argparse
import contextlib
import fcntl
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

SOURCES = pathlib.Path(__file__).resolve().parent / "web"
# Runs no package scripts: none is needed here, and they are the usual way of attack.
INSTALL = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]


def copy_sources(target):
    for name in os.listdir(target):
        if name not in ("node_modules", "dist", "installed", "lock") and not (SOURCES / name).exists():
            path = target / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for entry in SOURCES.iterdir():
        if entry.is_dir():
            shutil.rmtree(target / entry.name, ignore_errors=True)
            shutil.copytree(entry, target / entry.name)
        else:
            shutil.copy2(entry, target / entry.name)


def install_packages(target):
    wanted = hashlib.sha256((target / "package-lock.json").read_bytes()).hexdigest()
    stamp = target / "installed"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    subprocess.run(INSTALL, cwd=target, check=True)
    stamp.write_text(wanted)


def tool(target, package, script, *arguments):
    subprocess.run(["node", str(target / "node_modules" / package / script), *arguments], cwd=target, check=True)


@contextlib.contextmanager
def alone(target):
    """Locks the target, because two builds there would interfere."""
    with open(target / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target", type=pathlib.Path)
    target = parser.parse_args().target.resolve()
    target.mkdir(parents=True, exist_ok=True)
    with alone(target):
        copy_sources(target)
        install_packages(target)
        tool(target, "typescript", "bin/tsc", "--noEmit")
        tool(target, "vite", "bin/vite.js", "build", "--logLevel", "warn")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"build_front_end.py: {error.cmd[0]} exited with status {error.returncode}: see the output above")
