"""Long output on a terminal goes through a pager."""

import json

import pytest
from fakes import FakeAdmin
from test_status import STATUS


@pytest.fixture
def pager(tmp_path):
    """A pager that prints its arguments and marks each line that passes through it."""
    script = tmp_path / "pager"
    script.write_text('#!/bin/sh\necho "less=$LESS args=$*"\nwhile IFS= read -r line; do echo "paged: $line"; done\n')
    script.chmod(0o755)
    return str(script)


def status(claimsctl, environment, terminal=True):
    with FakeAdmin(claimsctl.admin_socket, json.dumps(STATUS).encode()):
        if terminal:
            return claimsctl.run_on_a_terminal("status", environment=environment).replace("\r\n", "\n")
        done = claimsctl.run("status", environment=environment)
        return done.stdout + done.stderr


def test_on_a_terminal_the_pager_shows_the_output_in_color(claimsctl, pager):
    shown = status(claimsctl, {"PAGER": f"{pager} -a b"})
    assert shown.startswith("less=FRX args=-a b\npaged: claimsd is ")
    assert "\x1b[32mhealthy" in shown
    assert all(line.startswith("paged: ") for line in shown.splitlines()[1:])


def test_an_existing_LESS_setting_is_kept(claimsctl, pager):
    assert status(claimsctl, {"PAGER": pager, "LESS": "S"}).startswith("less=S ")


@pytest.mark.parametrize("environment", [{"PAGER": ""}, {"PAGER": "cat"}, {"PAGER": "/nonexistent/pager"}, {}])
def test_without_a_usable_pager_the_output_is_printed_in_full(claimsctl, environment):
    """The fixture's PATH contains no programs, so there is no less."""
    shown = status(claimsctl, environment)
    assert shown.startswith("claimsd is ") and "/etc/claimsd/claimsd.toml" in shown


def test_a_dumb_terminal_gets_no_pager(claimsctl, pager):
    assert "paged" not in status(claimsctl, {"PAGER": pager, "TERM": "dumb"})


def test_without_a_terminal_there_is_no_pager(claimsctl, pager):
    assert status(claimsctl, {"PAGER": pager}, terminal=False).startswith("claimsd is healthy\n")


def test_short_output_is_not_paged(claimsctl, pager):
    assert "paged" not in claimsctl.run_on_a_terminal("ping", environment={"PAGER": pager})
