"""No token and no email stays in the daemon's memory after its use: frames that arrive in pieces, admin actions, timeouts, clients that leave.

Reads the memory of the real daemon (proc_pid_mem(5)), which needs root. The in-memory cache keeps tokens on purpose, so it is off.
"""

import os
import pathlib
import re
import secrets
import time

import pytest

import wire
from daemon import sanitized
from peer import ANY_AGE, Peer, until
from tokens import jwt

EMAIL = "memory.canary@example.com"

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]


PIECE = 24  # bytes: too many to be found by chance


def pieces_of(text):
    """A token in pieces, or a short text as it is: of a block that was freed, free(3) overwrites the first bytes."""
    return [text[at:at + PIECE].encode() for at in range(PIECE, len(text) - PIECE, PIECE)] if len(text) > 4 * PIECE else [text.encode()]


def occurrences(daemon, text):
    """How often a piece of the text is in the daemon's writable memory."""
    needles = pieces_of(text)
    process = pathlib.Path("/proc") / str(daemon.process.pid)
    found = 0
    with open(process / "mem", "rb", buffering=0) as memory:
        for begin, end in re.findall(r"^([0-9a-f]+)-([0-9a-f]+) .w", (process / "maps").read_text(), re.MULTILINE):
            begin, end = int(begin, 16), int(end, 16)
            try:
                bytes_there = os.pread(memory.fileno(), end - begin, begin)
                found += sum(bytes_there.count(needle) for needle in needles)
            except OSError:  # not readable, such as [vvar]
                continue
    return found


def new_token():
    """Random, so that no piece of it is part of another one."""
    return jwt(sub=secrets.token_hex(100), iat=int(time.time()) - 60, exp=int(time.time()) + 3600)


@pytest.fixture(scope="module")
def daemon(build, scratch, fault_server):
    from daemon import Claimsd
    if sanitized(build):
        pytest.skip("a build with sanitizers has no system call filter")
    fault_server.script("email", {"body": {"id": "user-1", "email": EMAIL, "role": "clerk"}})
    upstreams = {"upstream.main": {"url": fault_server.url("script-email"), "default": True},
                 "upstream.held": {"url": fault_server.url("gate-memory"), "timeout": "500ms", "connect_timeout": "500ms"}}
    with Claimsd(build, scratch(), cache={"memory_entries": 0}, **upstreams) as one:
        yield one


def query_frame(token, request=1):
    return wire.encode("Query", request, {"token": token.encode(), "timeout_ms": 0, "max_age_ms": ANY_AGE})


def wait_gone(daemon, text, what):
    until(lambda: occurrences(daemon, text) == 0, f"{what}: {text[:20]} has left the memory", patience=5)


def test_a_token_that_is_in_use_is_found(daemon, fault_server):
    token = new_token()
    with Peer(daemon.socket, fault_server.url("gate-memory")) as peer:
        peer.query(token, timeout_ms=300)
        assert until(lambda: occurrences(daemon, token) > 0, "the token is in memory")
        peer.answer()


@pytest.mark.parametrize("size", [20, 150, 250])
def test_a_frame_in_pieces_leaves_nothing(daemon, size):
    token = new_token()
    frame = query_frame(token)
    with Peer(daemon.socket) as peer:
        for at in range(0, len(frame), size):
            peer.socket.sendall(frame[at:at + size])
            time.sleep(0.02)  # so that the daemon reads this piece alone
        assert peer.answer()[1].verdict == "valid"
        wait_gone(daemon, token, "a frame in pieces")


def test_a_backlog_of_frames_leaves_nothing(daemon):
    tokens = [new_token() for _ in range(200)]
    with Peer(daemon.socket) as peer:
        everything = b"".join(query_frame(token, 1 + at) for at, token in enumerate(tokens))
        peer.socket.sendall(everything[:-7])
        time.sleep(0.02)
        peer.socket.sendall(everything[-7:])
        for _ in tokens:
            peer.answer()
        for token in tokens[::20]:
            wait_gone(daemon, token, "a backlog")


def test_a_client_that_leaves_within_a_frame_leaves_nothing(daemon):
    token = new_token()
    frame = query_frame(token)
    with Peer(daemon.socket) as peer:
        peer.socket.sendall(frame[:100])
        time.sleep(0.02)
        peer.socket.sendall(frame[100:-1])
        until(lambda: occurrences(daemon, token) > 0, "the token is in memory")
    wait_gone(daemon, token, "a cut frame")


@pytest.mark.parametrize("path", ["/v1/entry", "/v1/purge", "/v1/revoke"])
def test_an_admin_action_leaves_nothing(daemon, path):
    token = new_token()
    with Peer(daemon.socket) as peer:
        assert peer.ask(token).verdict == "valid"
    assert daemon.admin(path, {"token": token})[0] == 200
    wait_gone(daemon, token, path)


def test_a_timeout_leaves_nothing(daemon, fault_server):
    token = new_token()
    with Peer(daemon.socket, fault_server.url("gate-memory")) as peer:
        assert peer.ask(token, timeout_ms=100).verdict == "unavailable"
        wait_gone(daemon, token, "a timeout")


def test_the_email_of_the_last_user_leaves_nothing(daemon):
    token = new_token()
    with Peer(daemon.socket) as peer:
        for source in ("upstream", "cache"):
            answer = peer.ask(token)
            assert (answer.email, answer.source) == (EMAIL, source)
            wait_gone(daemon, EMAIL, f"an answer from {source}")
