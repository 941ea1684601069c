"""Help and wrong usage. A token typed in the wrong place is never repeated."""

import pathlib
import re

import pytest
from fakes import FakeDaemon, valid_answer

TOKENS = ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEyMyJ9.c2lnbmF0dXJl",
          "0123456789abcdef0123456789abcdef01234567", "q~Token+with/slashes==",
          "abcdefghijklmnopqrstuvwxyzabcdef", "1|Wl8hN2!aB3dE5fG7:hJ9kL2mN4pQ6rS8tU0"]

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "client" / "claimsctl"


def commands():
    """The names in the table of commands, read from its source."""
    rows = re.findall(r'^\s*\{"([a-z-]+)",\s*"([^"]*)",\s*"([^"]*)", make_',
                      (SOURCE / "commands.cc").read_text(), re.MULTILINE)
    assert len(rows) >= 3
    return rows


def test_help_lists_every_command_and_every_exit_status(claimsctl):
    done = claimsctl.run("--help")
    assert done.returncode == 0 and done.stderr == ""
    for name, _, line in commands():
        assert re.search(rf"^  {name} +{re.escape(line)}$", done.stdout, re.MULTILINE)
    for status in (0, 1, 2, 69, 75, 77, 78):
        assert re.search(rf"^  {status} +\S", done.stdout, re.MULTILINE)


def test_every_command_has_help(claimsctl):
    for name, synopsis, line in commands():
        done = claimsctl.run(name, "--help")
        assert done.returncode == 0
        assert line in done.stdout and f"claimsctl {name} {synopsis}\n" in done.stdout


def test_help_is_a_command_too(claimsctl):
    assert claimsctl.run("help").stdout.rstrip() == claimsctl.run("--help").stdout.rstrip()
    for name, _, _ in commands():
        done = claimsctl.run("help", name)
        assert done.returncode == 0 and done.stderr == ""
        assert done.stdout.rstrip() == claimsctl.run(name, "--help").stdout.rstrip()
    assert claimsctl.run("help", "audit", "search").stdout.rstrip() == claimsctl.run("audit", "search", "--help").stdout.rstrip()


@pytest.mark.parametrize("words, hint", [
    (("stauts",), "did you mean status? run claimsctl help"),
    (("stat",), "did you mean status or statistics? run claimsctl help"),
    (("rvoke",), "did you mean revoke? run claimsctl help"),
    (("help", "qurey"), "did you mean query? run claimsctl help"),
    (("audit", "serach"), "did you mean search? run claimsctl help audit"),
    (("help", "audit", "serach"), "did you mean search? run claimsctl help audit"),
    (("query", "--timeuot", "5"), "did you mean --timeout? run claimsctl help query"),
    (("audit", "search", "--usr", "7"), "did you mean --user? run claimsctl help audit search"),
    (("status", "--jsno"), "did you mean --json? run claimsctl help status"),
    (("foo",), "run claimsctl help"),
    (("query", "--bogus"), "run claimsctl help query"),
])
def test_an_unknown_word_gets_the_nearest_known_one(claimsctl, words, hint):
    done = claimsctl.run(*words)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.splitlines()[1] == f"  {hint}"


def test_version_prints_three_numbers(claimsctl):
    done = claimsctl.run("--version")
    assert done.returncode == 0
    assert re.fullmatch(r"claimsctl \d+\.\d+\.\d+\n", done.stdout)


@pytest.mark.parametrize("words, said", [
    ((), "a command is needed"),
    (("foo",), 'no command "foo"'),
    (("query", "foo"), 'does not take the argument "foo"'),
    (("help", "foo"), 'no command "foo"'),
    (("audit",), "audit: A subcommand is required"),
    (("audit", "foo"), 'audit has no command "foo"'),
    (("query", "--tokn", "x"), 'no option "--tokn"'),
    (("status", "--bogus"), 'no option "--bogus"'),
    (("query", "--timeout", "soon"), "--timeout: must be a whole number of milliseconds"),
    (("query", "--timeout", "-1"), "--timeout: must be a whole number of milliseconds"),
    (("query", "--max-age", "9999999999"), "--max-age: must be a whole number of milliseconds"),
    (("ping", "--count", "0"), "--count: must be a whole number from 1"),
    (("query", "--token-file"), "--token-file: 1 required FILE missing"),
    (("query", "status"), 'does not take the argument "status"'),
    (("--socket",), "--socket: 1 required PATH missing"),
])
def test_wrong_usage_exits_2_with_one_clear_line_and_a_hint(claimsctl, words, said):
    done = claimsctl.run(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 2 and said in lines[0] and lines[1].startswith("  ")


TEXTS = [("revoke", "--user"), ("revoke", "--upstream"), ("revoke", "--for"), ("revoke", "--token-file"), ("purge", "--user"),
         ("query", "--upstream"), ("query", "--token-file"), ("show", "--user"), ("entries", "--user"),
         ("test-upstream", "--token-file"), ("audit search", "--user"), ("audit search", "--directory"), ("doctor", "--worker")]


@pytest.mark.parametrize("command, option", TEXTS)
@pytest.mark.parametrize("joined", [False, True])
def test_an_empty_text_is_wrong_usage_and_no_token_is_read(claimsctl, command, option, joined):
    """An unset variable of a script must not turn `revoke --user "$ID"` into another command."""
    words = [f"{option}="] if joined else [option, ""]
    done = claimsctl.run(*command.split(), *words, stdin=TOKENS[0].encode())
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{option}: " + ("1 required" if joined else "must not be empty") in done.stderr


PLACES = [["help", "TOKEN"], ["help", "audit", "TOKEN"], ["audit", "TOKEN"], ["query", "TOKEN"], ["TOKEN"], ["status", "TOKEN"], ["query", "--token", "TOKEN"],
          ["query", "--token=TOKEN"], ["query", "-t", "TOKEN"], ["query", "-tTOKEN"],
          ["query", "--tokenTOKEN"], ["--TOKEN"], ["-TOKEN"], ["--json=TOKEN", "status"],
          ["query", "--json=TOKEN"], ["query", "--timeout", "TOKEN"], ["query", "--timeout=TOKEN"],
          ["query", "--max-age", "TOKEN"], ["ping", "--count", "TOKEN"], ["query", "--", "TOKEN"],
          ["query", "foo", "TOKEN"], ["query", "--token-file", "TOKEN"],
          ["query", "--token-file=TOKEN"], ["query", "Bearer", "TOKEN"], ["query", "Bearer TOKEN"]]


@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.parametrize("words", PLACES, ids=" ".join)
def test_a_token_in_the_wrong_place_is_rejected_and_not_repeated(claimsctl, words, token):
    with FakeDaemon(claimsctl.socket, valid_answer()) as daemon:
        done = claimsctl.run(*[word.replace("TOKEN", token) for word in words])
    assert done.returncode == 2
    assert daemon.seen == []
    shown = done.stdout + done.stderr
    for start in range(0, len(token) - 12):
        assert token[start:start + 12] not in shown


@pytest.mark.parametrize("words", [["query", TOKENS[0]], [TOKENS[0]],
                                   ["query", "--token", TOKENS[0]]],
                         ids=["query", "bare", "option"])
def test_a_token_as_an_argument_gets_an_explanation(claimsctl, words):
    done = claimsctl.run(*words)
    assert "must not be an argument" in done.stderr and "--token-file" in done.stderr
    assert "log out" in done.stderr
