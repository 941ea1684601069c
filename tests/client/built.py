"""Where the build is, for tests that look at what was built."""

import glob
import os
import re
import subprocess

BUILD = os.environ["CLAIMSD_BUILD_DIR"]
SOURCE = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


def run(*command, **more):
    """The command's standard output; a failure shows both streams."""
    done = subprocess.run(command, text=True, capture_output=True, check=False, **more)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def library():
    """The real file behind libclaimsd.so.1."""
    return os.path.realpath(os.path.join(BUILD, "client", "src", "libclaimsd.so.1"))


def objects():
    """The object files that it was linked from."""
    pattern = os.path.join(BUILD, "client", "src", "**", "*.o")
    return sorted(glob.glob(pattern, recursive=True))


def declared_functions():
    """What claimsd.h declares."""
    with open(os.path.join(SOURCE, "client", "include", "claimsd.h"), encoding="utf-8") as header:
        text = re.sub(r"/\*.*?\*/", "", header.read(), flags=re.DOTALL)
    return set(re.findall(r"CLAIMSD_API[^;]*?\b(claimsd_\w+)\(", text))
