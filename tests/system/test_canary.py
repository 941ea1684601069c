"""Whatever the daemon is asked, no token, email or claim is readable in what it leaves or shows."""

import base64
import json
import pathlib

import pytest

from canaries import BAD_TOKENS, CLAIMS, SECRETS, TOKENS, found_in
from daemon import Claimsd
from peer import Peer

# Answers with the canaries in places that an error message could quote.
TROUBLE = {
    "cut": {"body": json.dumps(CLAIMS)[:-5]},
    "twice": {"body": json.dumps(CLAIMS)[:-1] + ',"id":"canary-claim"}'},
    "types": {"body": {**CLAIMS, "role": {"canary-role": "canary-role"}}},
    "control": {"body": {**CLAIMS, "id": "canary-id-4711\n"}},
    "long": {"body": {**CLAIMS, "id": "canary-id-4711" * 30}},
    "rejected": {"status": 401, "body": CLAIMS, "headers": {"WWW-Authenticate": 'Bearer error="canary-header"'}},
    "moved": {"status": 302, "headers": {"Location": "https://canary-header.example/"}, "body": CLAIMS},
    "broken": {"status": 500, "headers": {"Retry-After": "canary-header"}, "body": CLAIMS},
    "cookie": {"status": 200, "headers": {"Set-Cookie": "canary-header=1"}, "body": CLAIMS},
    "encoded": {"status": 200, "headers": {"Transfer-Encoding": "canary-header"}, "body": CLAIMS},
    "silent": {"mode": "silence"}, "reset": {"mode": "reset"}, "garbage": {"mode": "garbage"},
}


def everything_left(daemon):
    """{what: bytes} of all files of the daemon and of everything it shows."""
    left = {str(path): path.read_bytes() for path in sorted(daemon.root.rglob("*")) if path.is_file()}
    if daemon.process is not None:
        process = pathlib.Path("/proc") / str(daemon.process.pid)
        left.update({name: (process / name).read_bytes() for name in ("cmdline", "environ", "comm", "maps")})
        routes = ("/", "/v1/status", "/metrics", "/v1/health", "/v1/ready")
        left.update({path: daemon.admin(path)[1] for path in routes})
    return left


def leaks(daemon):
    return {what: found for what, data in everything_left(daemon).items() if (found := found_in(data))}


@pytest.fixture(scope="module")
def daemon(build, scratch, fault_server):
    fault_server.script("claims", {"body": CLAIMS})
    hasty = {"timeout": "500ms", "connect_timeout": "500ms"}
    upstreams = {"upstream.main": {"url": fault_server.url("script-claims"), "default": True}}
    for name, step in TROUBLE.items():
        mode = fault_server.script(name, step)
        upstreams[f"upstream.{name}"] = {"url": fault_server.url(mode), **hasty}
    with Claimsd(build, scratch(), log={"level": "debug"}, **upstreams) as one:
        yield one


@pytest.fixture(scope="module")
def asked(daemon, fault_server):
    """Sends every kind of query; returns the verdicts."""
    with Peer(daemon.socket) as peer:
        answers = peer.ask_all(TOKENS) + peer.ask_all(TOKENS)
        assert {answer.email for answer in answers} == {CLAIMS["email"]}
        assert {peer.ask(token).verdict for token in BAD_TOKENS} == {"invalid", "unavailable"}  # unavailable: too long
    verdicts = {}
    for name in TROUBLE:
        with Peer(daemon.socket, fault_server.url(f"script-{name}")) as peer:
            verdicts[name] = peer.ask(TOKENS[0]).verdict
    with Peer(daemon.socket) as peer:  # a frame cut off inside a token, and a violation that contains one
        peer.query(TOKENS[1])
        peer.socket.sendall(b"\xff" * 12 + TOKENS[2].encode())
        while peer.receive() is not None:
            pass
    return verdicts


def test_a_secret_in_the_clear_would_be_found():
    for secret in SECRETS:
        assert found_in(b"before" + secret.encode() + b"after")
        assert found_in(base64.b64encode(b"x" + secret.encode() + b"yz"))
        assert found_in(json.dumps({"a": secret}).encode())


def test_all_kinds_of_answers_were_given(asked, daemon):
    assert asked == {name: "unavailable" for name in TROUBLE} | {"rejected": "invalid", "cookie": "valid"}
    status = daemon.status()
    assert status["cache"]["entries"] == len(TOKENS) + 1
    assert status["counters"]["upstream_failures"] >= 10
    # The data searched below really exists: entries are in the file, failures are in the log.
    assert sum(path.stat().st_size for path in daemon.cache.iterdir()) > len(TOKENS) * 200
    assert "upstream_failed" in daemon.log() and "upstream_body" in daemon.log()


def test_no_secret_is_left_or_shown_while_the_daemon_runs(asked, daemon):
    assert leaks(daemon) == {}


def test_no_secret_is_left_after_a_crash(asked, daemon):
    daemon.kill()
    assert leaks(daemon) == {}
    daemon.start()
    assert daemon.status()["cache"]["entries"] == len(TOKENS) + 1
    assert leaks(daemon) == {}


def test_no_secret_is_left_after_a_clean_stop(asked, daemon):
    daemon.restart()
    daemon.stop()
    assert leaks(daemon) == {}
    assert sum(path.stat().st_size for path in daemon.cache.iterdir()) > len(TOKENS) * 200
    daemon.start()
