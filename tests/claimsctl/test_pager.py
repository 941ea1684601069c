"""Longer output goes through a pager, on a terminal alone."""

import json

import pytest
from fakes import FakeAdmin
from test_status import STATUS


@pytest.fixture
def pager(tmp_path):
    """A pager that marks each line, so that one sees that it was there; and what it was given besides."""
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


def test_on_a_terminal_the_pager_shows_it_in_colour(claimsctl, pager):
    shown = status(claimsctl, {"PAGER": f"{pager} -a b"})
    assert shown.startswith("less=FRX args=-a b\npaged: claimsd is ")
    assert "\x1b[32mwell" in shown
    assert all(line.startswith("paged: ") for line in shown.splitlines()[1:])


def test_what_less_is_told_already_stays(claimsctl, pager):
    assert status(claimsctl, {"PAGER": pager, "LESS": "S"}).startswith("less=S ")


@pytest.mark.parametrize("environment", [{"PAGER": ""}, {"PAGER": "cat"}, {"PAGER": "/nonexistent/pager"}, {}])
def test_without_a_pager_all_of_it_is_there(claimsctl, environment):
    """The fixture's PATH leads nowhere: there is no less."""
    shown = status(claimsctl, environment)
    assert shown.startswith("claimsd is ") and "/etc/claimsd/claimsd.toml" in shown


def test_a_terminal_that_understands_nothing_gets_no_pager(claimsctl, pager):
    assert "paged" not in status(claimsctl, {"PAGER": pager, "TERM": "dumb"})


def test_elsewhere_there_is_no_pager(claimsctl, pager):
    assert status(claimsctl, {"PAGER": pager}, terminal=False).startswith("claimsd is well\n")


def test_short_output_is_not_paged(claimsctl, pager):
    assert "paged" not in claimsctl.run_on_a_terminal("ping", environment={"PAGER": pager})
