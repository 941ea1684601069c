"""claimsctl query against a fake daemon."""

import json
import os
import pty

import pytest
from fakes import CACHE, INVALID, UNAVAILABLE, FakeDaemon, valid_answer

TOKEN = b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyLTEyMyJ9.c2lnbmF0dXJl"


def asked(daemon):
    return [fields for name, fields in daemon.seen if name == "Query"]


def test_a_valid_token_prints_its_claims_and_exits_0(claimsctl):
    with FakeDaemon(claimsctl.socket, valid_answer()) as daemon:
        done = claimsctl.run("query", stdin=TOKEN + b"\n")
    assert done.returncode == 0, done.stderr
    for shown in ("valid", "user-123", "tech@example.com", "rvt, doctor", "cache", "1.2 s",
                  "58.8 s"):
        assert shown in done.stdout
    assert asked(daemon)[0]["token"] == TOKEN


def test_json_output_has_a_schema_and_unchanged_claims(claimsctl):
    raw = b'{"id":"user-123","clinic":{"beds":[1,2.5,null]},"role":"rvt"}'
    with FakeDaemon(claimsctl.socket, valid_answer(raw)):
        done = claimsctl.run("query", "--json", stdin=TOKEN)
    assert done.returncode == 0
    assert done.stdout.count("\n") == 1
    assert json.loads(done.stdout) == {
        "schema": 1, "verdict": "valid", "reason": "ok", "text": "the Auth API confirmed the token",
        "source": "cache", "age_ms": 1250, "ttl_ms": 58750, "retry_after_ms": 0, "truncated": False, "id": "user-123",
        "email": "tech@example.com", "roles": ["rvt", "doctor"], "claims": json.loads(raw)}


def test_an_invalid_token_exits_1_with_its_reason(claimsctl):
    with FakeDaemon(claimsctl.socket, {"verdict": INVALID, "source": CACHE, "reason": 100}):
        plain = claimsctl.run("query", stdin=TOKEN)
        machine = claimsctl.run("--json", "query", stdin=TOKEN)
    assert (plain.returncode, machine.returncode) == (1, 1)
    assert "invalid" in plain.stdout and "rejected" in plain.stdout
    shown = json.loads(machine.stdout)
    assert (shown["verdict"], shown["reason"], shown["claims"]) == ("invalid", "rejected", None)


def test_an_unavailable_answer_exits_69_and_says_when_to_retry(claimsctl):
    answer = {"verdict": UNAVAILABLE, "reason": 202, "retry_after_ms": 1500}
    with FakeDaemon(claimsctl.socket, answer):
        plain = claimsctl.run("query", stdin=TOKEN)
        machine = claimsctl.run("query", "--json", stdin=TOKEN)
    assert (plain.returncode, machine.returncode) == (69, 69)
    assert "upstream_connect" in plain.stdout and "1.5 s" in plain.stdout
    assert json.loads(machine.stdout)["retry_after_ms"] == 1500


def test_no_daemon_exits_69_and_says_what_to_check(claimsctl):
    done = claimsctl.run("query", stdin=TOKEN)
    assert done.returncode == 69
    assert "no_daemon" in done.stdout and claimsctl.socket in done.stdout


def test_a_daemon_that_rejects_this_uid_exits_77(claimsctl):
    with FakeDaemon(claimsctl.socket, failure=6):
        assert claimsctl.run("query", stdin=TOKEN).returncode == 77


def test_a_daemon_without_the_expected_auth_api_exits_78(claimsctl):
    with FakeDaemon(claimsctl.socket, failure=8) as daemon:
        done = claimsctl.run("query", "--upstream", "https://other.example.com", stdin=TOKEN)
    assert done.returncode == 78
    assert daemon.seen[0][1]["upstream_url"] == b"https://other.example.com"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_socket_that_this_user_may_not_open_exits_77(claimsctl):
    with FakeDaemon(claimsctl.socket, valid_answer()):
        os.chmod(claimsctl.socket, 0o600)
        done = claimsctl.run("query", stdin=TOKEN, user=65534)
    assert done.returncode == 77
    assert "claimsd-clients" in done.stdout


def test_timeout_and_max_age_reach_the_daemon(claimsctl):
    with FakeDaemon(claimsctl.socket, valid_answer()) as daemon:
        claimsctl.run("query", stdin=TOKEN)
        claimsctl.run("query", "--max-age", "0", stdin=TOKEN)
        claimsctl.run("query", "--max-age=2500", "--timeout=1000", stdin=TOKEN)
    assert [question["max_age_ms"] for question in asked(daemon)] == [2**32 - 1, 0, 2500]
    assert 900 <= asked(daemon)[2]["timeout_ms"] <= 1000


def test_a_daemon_that_does_not_answer_in_time_exits_69(claimsctl):
    with FakeDaemon(claimsctl.socket, answer=None):
        done = claimsctl.run("query", "--timeout", "50", "--json", stdin=TOKEN)
    assert done.returncode == 69
    assert json.loads(done.stdout)["reason"] == "timeout"


@pytest.mark.parametrize("written, sent", [
    (TOKEN, TOKEN), (TOKEN + b"\n", TOKEN), (TOKEN + b"\r\n", TOKEN),
    (TOKEN + b"\n\n", TOKEN + b"\n"), (b" " + TOKEN, b" " + TOKEN)])
def test_exactly_one_trailing_newline_is_dropped(claimsctl, tmp_path, written, sent):
    (tmp_path / "token").write_bytes(written)
    with FakeDaemon(claimsctl.socket, valid_answer()) as daemon:
        claimsctl.run("query", stdin=written)
        claimsctl.run("query", "--token-file", str(tmp_path / "token"))
        claimsctl.run("query", "--token-file", "-", stdin=written)
    assert [question["token"] for question in asked(daemon)] == [sent] * 3


def test_endless_input_is_a_token_too_long_to_send(claimsctl):
    with open("/dev/zero", "rb") as endless, FakeDaemon(claimsctl.socket, valid_answer()) as daemon:
        done = claimsctl.run("query", stdin=endless)
    assert done.returncode == 69 and "reason       too_long" in done.stdout
    assert daemon.seen == []


@pytest.mark.parametrize("stdin", [b"", b"\n"])
def test_an_empty_token_is_wrong_usage(claimsctl, stdin):
    done = claimsctl.run("query", stdin=stdin)
    assert done.returncode == 2
    assert "there is no token in standard input" in done.stderr


def test_a_terminal_as_input_is_refused_with_a_hint(claimsctl):
    master, terminal = pty.openpty()
    with os.fdopen(terminal, "rb", buffering=0) as stdin:
        done = claimsctl.run("query", stdin=stdin)
    os.close(master)
    assert done.returncode == 2
    assert "--token-file" in done.stderr and "< FILE" in done.stderr


def test_an_unreadable_token_file_is_wrong_usage(claimsctl, tmp_path):
    for path in (tmp_path / "none", tmp_path):
        done = claimsctl.run("query", "--token-file", str(path))
        assert done.returncode == 2
        assert "cannot read the token" in done.stderr


def test_with_json_an_error_with_the_token_is_json_as_well(claimsctl):
    done = claimsctl.run("query", "--json")
    assert done.returncode == 2
    shown = json.loads(done.stdout)
    assert shown["schema"] == 1 and shown["error"]["code"] == "token_empty"


def test_claims_cannot_control_the_terminal(claimsctl):
    with FakeDaemon(claimsctl.socket, valid_answer()) as daemon:
        nasty = b"\x1b]0;title\x07\xc2\x9b31m\x7f"
        daemon.answer["claims"] = daemon.answer["claims"].replace(
            b"tech@example.com", nasty + b"x" * (16 - len(nasty)))
        done = claimsctl.run("query", stdin=TOKEN)
    assert done.returncode == 0
    assert "]0;title" in done.stdout
    assert not [c for c in done.stdout if c != "\n" and (ord(c) < 32 or 127 <= ord(c) < 160)]


def test_colors_are_used_only_on_terminals_that_want_them(claimsctl):
    with FakeDaemon(claimsctl.socket, valid_answer()):
        assert "\x1b[32mvalid" in claimsctl.run_on_a_terminal("query", stdin=TOKEN)
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
            shown = claimsctl.run_on_a_terminal("query", stdin=TOKEN, environment=environment)
            assert "valid" in shown and "\x1b" not in shown
        assert "\x1b" not in claimsctl.run_on_a_terminal("query", "--json", stdin=TOKEN)
        assert "\x1b" not in claimsctl.run("query", stdin=TOKEN).stdout
