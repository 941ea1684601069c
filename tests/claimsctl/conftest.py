"""Runs the built claimsctl in a controlled environment."""

import os
import pathlib
import pty
import shutil
import subprocess

import pytest

BUILD = pathlib.Path(os.environ.get("CLAIMSD_BUILD_DIR", "build/dev"))
BINARY = BUILD / "client" / "claimsctl" / "claimsctl"


class Claimsctl:
    """`run("query", stdin=b"...")` returns a CompletedProcess with stdout and stderr as text."""

    def __init__(self, directory):
        self.directory = directory
        self.socket = str(directory / "claims.sock")
        self.admin_socket = str(directory / "admin.sock")
        self.environment = {"CLAIMSD_SOCKET": self.socket, "PATH": "/nonexistent",
                            "CLAIMSD_ADMIN_SOCKET": self.admin_socket, "TERM": "xterm"}

    def run(self, *words, stdin=b"", **more):
        environment = {**self.environment, **more.pop("environment", {})}
        binary = BINARY
        if "user" in more:
            binary = self.copy_for_others()
            environment["LD_LIBRARY_PATH"] = str(binary.parent)
        if not hasattr(stdin, "fileno"):
            more["input"] = stdin
        else:
            more["stdin"] = stdin
        done = subprocess.run([binary, *words], env=environment, timeout=30, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        return done

    def copy_for_others(self):
        """The checkout may be in a directory that only its owner can reach."""
        for file in (BINARY, BUILD / "client" / "src" / "libclaimsd.so.1"):
            shutil.copy(file, self.directory)
        return self.directory / BINARY.name

    def run_on_a_terminal(self, *words, stdin=b"", environment=None):
        """The output of claimsctl when its standard output is a terminal."""
        master, terminal = pty.openpty()
        subprocess.run([BINARY, *words], input=stdin, stdout=terminal, timeout=30, check=False,
                       env={**self.environment, **(environment or {})})
        os.close(terminal)
        text = b""
        try:
            while more := os.read(master, 65536):
                text += more
        except OSError:  # EIO: the other side is closed
            pass
        os.close(master)
        return text.decode()


@pytest.fixture
def claimsctl(tmp_path):
    # Other users must be able to reach the sockets in it; pytest's own directories are private.
    for directory in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        directory.chmod(0o755)
    return Claimsctl(tmp_path)
