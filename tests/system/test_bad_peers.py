"""Protocol violations and slow readers: the peer gets the right Failure, and other clients are
still served."""

import itertools
import random
import select
import socket
import struct

import pytest

import wire
from daemon import Claimsd
from peer import PATIENCE
from tokens import user_of

BAD_FRAME, TOO_LARGE, UNKNOWN_MESSAGE, HELLO_EXPECTED, VERSION = 1, 2, 3, 4, 5
UNKNOWN_UPSTREAM, TOO_MANY_OPEN = 8, 9


@pytest.fixture(scope="module")
def daemon(build, scratch, fault_server):
    strict = {"slow_reader_timeout": "200ms", "write_queue_bytes": 262144}
    with Claimsd(build, scratch(), fault_server.url("echo"), daemon=strict) as one:
        yield one


@pytest.fixture
def bystander(daemon, peer):
    """A client that is served before and after the test."""
    other = peer(daemon)
    assert other.ask("bystander").id == user_of("bystander")
    yield other
    assert other.ask("bystander").id == user_of("bystander")


def hello():
    return wire.encode("Hello", 1, {"version_min": wire.VERSION, "version_max": wire.VERSION})


def query(token=b"token"):
    return wire.encode("Query", 7, {"token": token, "max_age_ms": 0xFFFFFFFF})


FATAL = {
    "words of another protocol": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", TOO_LARGE),
    "a frame with reserved bits": (wire.HEADER.pack(0, 1, 1, 1), BAD_FRAME),
    "a frame of 4 GiB": (wire.HEADER.pack(0xFFFFFFFF, 1, 0, 1), TOO_LARGE),
    "a frame one byte too large": (wire.HEADER.pack(wire.MAX_PAYLOAD + 1, 1, 0, 1), TOO_LARGE),
    "a query before Hello": (query(), HELLO_EXPECTED),
    "a ping before Hello": (wire.encode("Ping", 1, {"echo": 1}), HELLO_EXPECTED),
    "an unknown message before Hello": (wire.HEADER.pack(0, 0x77, 0, 1), HELLO_EXPECTED),
    "Hello truncated in a field": (wire.HEADER.pack(3, 1, 0, 1) + b"\x01\x00\x01", BAD_FRAME),
    "a newer version alone": (wire.encode("Hello", 1, {"version_min": wire.VERSION + 1, "version_max": 9}), VERSION),
    "version 0": (wire.encode("Hello", 1, {}), VERSION),
    "an unknown Auth API": (
        wire.encode("Hello", 1, {"version_min": wire.VERSION, "version_max": wire.VERSION, "upstream_url": b"https://evil.example"}),
        UNKNOWN_UPSTREAM),
    "an Auth API that is not a URL": (
        wire.encode("Hello", 1, {"version_min": wire.VERSION, "version_max": wire.VERSION, "upstream_url": b"\xff\x00"}), UNKNOWN_UPSTREAM),
}
FATAL_AFTER_HELLO = {
    "Hello twice": (hello(), HELLO_EXPECTED),
    "a query truncated in its token": (
        wire.HEADER.pack(14, 0x10, 0, 7) + struct.pack("<IIH", 0, 0, 100) + b"abcd", BAD_FRAME),
    "an address over its limit": (
        wire.encode("Query", 7, {"token": b"token", "client_address": b"x" * 65}), BAD_FRAME),
    "reserved bits": (wire.HEADER.pack(0, 0x10, 2, 7), BAD_FRAME),
}


@pytest.mark.parametrize("what", sorted(FATAL))
def test_a_protocol_violation_is_named_and_ends_the_connection(daemon, bystander, peer, what):
    data, code = FATAL[what]
    bad = peer(daemon, hello=False)
    bad.socket.sendall(data)
    assert bad.failure() == (0, code)
    assert bad.is_closed()


@pytest.mark.parametrize("what", sorted(FATAL_AFTER_HELLO))
def test_a_violation_after_the_handshake_ends_the_connection(daemon, bystander, peer, what):
    data, code = FATAL_AFTER_HELLO[what]
    bad = peer(daemon)
    bad.socket.sendall(data)
    assert bad.failure() == (0, code)
    assert bad.is_closed()


@pytest.mark.parametrize("code", [0x0002, 0x7FFF, 0x8001, 0x8010, 0xFFFF])
def test_an_unknown_message_gets_a_failure_and_keeps_the_connection(daemon, bystander, peer, code):
    newer = peer(daemon)
    newer.socket.sendall(wire.HEADER.pack(4, code, 0, 99) + b"\x00\x01\x02\x03")
    assert newer.failure() == (99, UNKNOWN_MESSAGE)
    assert newer.ask("token").verdict == "valid"


def test_older_and_newer_client_versions_are_accepted(daemon, peer):
    older = peer(daemon, hello=False)
    older.socket.sendall(wire.HEADER.pack(4, 1, 0, 1) + struct.pack("<HH", 0, wire.VERSION))  # only the first two fields
    assert older.receive()[0] == "Welcome"
    newer = peer(daemon, hello=False)
    payload = wire.encode("Hello", 1, {"version_min": 1, "version_max": 9})[wire.HEADER.size:] + b"and more"
    newer.socket.sendall(wire.HEADER.pack(len(payload), 1, 0, 1) + payload)
    name, _, fields = newer.receive()
    assert (name, fields["version"]) == ("Welcome", wire.VERSION)


def test_frames_may_arrive_in_pieces_of_any_size(daemon, peer):
    slow = peer(daemon, hello=False)
    for byte in hello() + query() + wire.encode("Ping", 8, {"echo": 5}):
        slow.socket.sendall(bytes([byte]))
    assert slow.receive()[0] == "Welcome"
    got = {slow.receive()[0], slow.receive()[0]}
    assert got == {"Answer", "Pong"}


def test_random_garbage_does_not_stop_the_daemon(daemon, bystander, peer):
    source = random.Random(20)
    for number in range(200):
        bad = peer(daemon, hello=number % 2 == 0)
        data = bytearray(query() * 3)
        for _ in range(source.randrange(1, 20)):
            data[source.randrange(len(data))] = source.randrange(256)
        bad.socket.sendall(bytes(data))
        bad.socket.shutdown(socket.SHUT_WR)
        while bad.receive() is not None:
            pass
        bad.close()


def test_one_query_over_the_limit_ends_the_connection(claimsd, peer, faults):
    daemon = claimsd(faults.url("gate"))
    greedy, other = peer(daemon), peer(daemon)
    for _ in range(4097):
        greedy.query("token")
    assert greedy.failure() == (0, TOO_MANY_OPEN)
    assert greedy.is_closed()
    faults.open("gate")
    assert other.ask("token").verdict == "valid"


def test_a_client_that_does_not_send_hello_in_time_is_disconnected(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"), daemon={"handshake_timeout": "200ms"})
    other = peer(daemon)
    silent = peer(daemon, hello=False)
    dribbling = peer(daemon, hello=False)
    dribbling.socket.sendall(hello()[:5])
    assert silent.is_closed() and dribbling.is_closed()
    assert "complete the handshake" in daemon.log()
    assert other.ask("token").verdict == "valid"


def test_a_client_that_does_not_read_is_disconnected_and_the_others_are_served_meanwhile(daemon, bystander, peer):
    deaf = peer(daemon)
    poller = select.poll()
    poller.register(deaf.socket, select.POLLOUT)
    for number in itertools.count():
        # Not writable: the daemon stops reading queries from a client that reads no answers.
        ((_, events),) = poller.poll(PATIENCE * 1000)
        if events & select.POLLHUP:
            break
        deaf.socket.sendall(query())
        if number % 100 == 0:
            assert bystander.ask("bystander").verdict == "valid"
    assert number > 100
    assert "read its answers" in daemon.log()
