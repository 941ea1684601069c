"""Long output on a terminal goes through less, in its secure mode."""

import json
import os
import pathlib
import pty
import select
import time

import pytest
from conftest import BINARY
from fakes import FakeAdmin
from test_status import STATUS

pytestmark = pytest.mark.skipif(not os.access("/usr/bin/less", os.X_OK), reason="less is not installed")


def on_a_terminal(claimsctl, keys=(), rows=3, **environment):
    """What `claimsctl status` shows on a controlling terminal of its own while `keys` are pressed, one after the other."""
    pathlib.Path(claimsctl.admin_socket).unlink(missing_ok=True)
    with FakeAdmin(claimsctl.admin_socket, json.dumps(STATUS).encode()):
        child, master = pty.fork()
        if child == 0:
            os.environ.clear()
            os.environ.update({**claimsctl.environment, **environment})
            os.system(f"/usr/bin/stty rows {rows} columns 100")
            os.execve(BINARY, [BINARY, "status"], dict(os.environ))
        shown, keys, end = b"", list(keys), time.monotonic() + 20
        while time.monotonic() < end:
            if select.select([master], [], [], 0.3)[0]:
                try:
                    more = os.read(master, 65536)
                except OSError:  # EIO: the terminal is closed
                    break
                shown += more
            elif keys:
                os.write(master, keys.pop(0).encode())
        os.close(master)
        os.waitpid(child, 0)
    return shown.decode().replace("\r\n", "\n")


def test_on_a_terminal_the_pager_shows_the_output_in_color(claimsctl):
    first = on_a_terminal(claimsctl, keys="q")
    assert "\x1b[32mhealthy" in first and "claimsd.toml" not in first  # the first screen only
    assert "claimsd.toml" in on_a_terminal(claimsctl, keys=" " * 20 + "q")


@pytest.mark.parametrize("command", ["!touch {}\n", "|$touch {}\n", "s{}\n", "v", ":e {}\n"])
def test_the_pager_starts_no_program_and_writes_no_file(claimsctl, tmp_path, command):
    """`sudo claimsctl status` is not a root shell."""
    path = tmp_path / "written"
    environment = {"EDITOR": f"touch {path}", "VISUAL": f"touch {path}", "SHELL": "/bin/sh", "LESSSECURE": "0", "LESSSECURE_ALLOW": "shell,edit,pipe,logfile",
                   "LESS": f"-O{path}", "LESSOPEN": f"|touch {path}", "PATH": "/usr/bin:/bin"}
    shown = on_a_terminal(claimsctl, keys=[command.format(path), "\n", "q"], **environment)
    assert "claimsd is" in shown and not path.exists()


def test_no_other_program_is_a_pager(claimsctl, tmp_path):
    """Neither $PAGER nor a `less` in $PATH is started."""
    mark = tmp_path / "mark"
    for name in ("pager", "less"):
        (tmp_path / name).write_text(f"#!/bin/sh\n/usr/bin/touch {mark}\n/bin/cat\n")
        (tmp_path / name).chmod(0o755)
    shown = on_a_terminal(claimsctl, keys="q", PAGER=str(tmp_path / "pager"), PATH=f"{tmp_path}:/usr/bin")
    assert "claimsd is" in shown and not mark.exists()


@pytest.mark.parametrize("environment", [{"PAGER": ""}, {"PAGER": "cat"}, {"TERM": "dumb"}])
def test_paging_can_be_turned_off(claimsctl, environment):
    assert "claimsd.toml" in on_a_terminal(claimsctl, **environment)


def test_output_that_fits_the_screen_is_printed(claimsctl):
    assert "claimsd.toml" in on_a_terminal(claimsctl, rows=60)


def test_without_a_terminal_there_is_no_pager(claimsctl):
    with FakeAdmin(claimsctl.admin_socket, json.dumps(STATUS).encode()):
        assert pathlib.Path("/usr/bin/less").exists() and claimsctl.run("status").stdout.startswith("claimsd is healthy\n")
