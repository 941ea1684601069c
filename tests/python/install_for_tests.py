#!/usr/bin/python3
"""Installs the package for the tests: `install_for_tests.py BUILD_DIR TARGET`, offline, from copies, so that the tree stays clean."""

import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
CCACHE = "/usr/lib/ccache"  # Debian's compilers by way of ccache
FOLDERS = ("client/include", "client/src", "client/python", "proto")


def copy_sources(target):
    """Copies the parts of the repository that an installation needs, without build products."""
    shutil.rmtree(target, ignore_errors=True)
    skipped = shutil.ignore_patterns("build", "*.egg-info", "__pycache__", "*.so", "dist", ".mypy_cache")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, target / folder, ignore=skipped)
    shutil.copy2(ROOT / "pyproject.toml", target / "pyproject.toml")


def with_ccache(environment, base):
    """The environment with the compilers of ccache, which then recognizes the same sources in another copy below `base`: the tests build them often."""
    return {**environment, "PATH": f"{CCACHE}:{environment['PATH']}", "CCACHE_BASEDIR": str(base), "CCACHE_NOHASHDIR": "1"}


def main():
    build, target = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    sources = build / "python-sources"
    copy_sources(sources)
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(
        ["/usr/bin/python3", "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-index", "--no-deps", "--no-cache-dir",
         "--root-user-action=ignore", "--disable-pip-version-check", "--target", str(target), str(sources / "client" / "python")],
        check=True, env=with_ccache({**os.environ, "AUTH_INTEGRATION_EXTENSION": "required"}, build))


if __name__ == "__main__":
    main()
