"""The HTTP socket under many connections, slow ones and silent ones: memory is bounded, and other users are served as before."""

import os
import resource
import socket

import pytest

from front_door_client import Client
from peer import until

REQUESTS = int(os.environ.get("CLAIMSD_HTTP_REQUESTS", 10_000))
CONNECTIONS = 10_000
# Of one connection: the memory that libmicrohttpd reserves for its headers, and what is around it.
KIB_PER_CONNECTION = 56
OTHER_UID = 54321


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, CONNECTIONS + 1000), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(path):
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(30)
    made.connect(path)
    return made


def as_other_user(client):
    """The client's connection is another user's: the kernel records who connects."""
    os.seteuid(OTHER_UID)
    try:
        client.connect()
    finally:
        os.seteuid(0)
    return client


def request_for(token):
    return f"GET /v1/auth/doctors HTTP/1.1\r\nHost: claimsd\r\nAuthorization: Bearer {token}\r\n\r\n".encode()


def connections(daemon):
    return daemon.status()["http"]["connections"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_ten_thousand_kept_connections_cost_a_bounded_amount_of_memory_and_no_other_user_their_answer(front_door, auth_api, many_descriptors):
    daemon, client = front_door(auth_api.url, http={"max_connections": CONNECTIONS + 100, "max_connections_per_uid": CONNECTIONS, "socket_mode": "0666"})
    token = auth_api.login("dana")
    other = as_other_user(Client(client.path))
    assert other.ask("/v1/auth/doctors", token).status == 200
    before = daemon.resident_kib()
    request = request_for(token)
    kept = []
    for _ in range(CONNECTIONS):
        one = connect(client.path)
        one.sendall(request)
        assert one.recv(4096).startswith(b"HTTP/1.1 200")
        kept.append(one)
    assert daemon.resident_kib() - before < CONNECTIONS * KIB_PER_CONNECTION
    # One more of the same user is closed, and another user is served.
    assert connect(client.path).recv(1) == b""
    assert other.ask("/v1/auth/doctors", token).status == 200
    assert as_other_user(Client(client.path)).ask("/api/me/", token).status == 200
    for one in kept:
        one.close()
    until(lambda: connections(daemon) < 10, "the connections are closed")
    assert daemon.resident_kib() - before < CONNECTIONS * KIB_PER_CONNECTION / 10


def test_a_request_that_arrives_byte_by_byte_and_a_silent_connection_are_cut_off(front_door, auth_api):
    daemon, client = front_door(auth_api.url, http={"idle_timeout": "2s"})
    token = auth_api.login("dana")
    request = request_for(token)[:-2]  # never complete
    slow = [connect(client.path) for _ in range(200)]
    silent = [connect(client.path) for _ in range(200)]
    gone = set()
    for at in range(len(request)):
        for one in slow:
            try:
                one.send(request[at:at + 1])
            except OSError:
                gone.add(one)
        assert client.ask("/v1/auth/doctors", token).status == 200
    for one in slow + silent:
        try:
            assert one.recv(4096) == b""
        except ConnectionResetError:
            gone.add(one)
    until(lambda: connections(daemon) <= 1, "only the client that asks is connected")
    assert client.ask("/v1/auth/doctors", token).status == 200


def test_many_requests_on_a_few_kept_connections_leave_no_memory_behind(front_door, auth_api):
    daemon, client = front_door(auth_api.url)
    request = request_for(auth_api.login("dana"))
    clients = [connect(client.path) for _ in range(8)]

    def ask(count):
        for _ in range(count // len(clients)):
            for one in clients:
                one.sendall(request)
            for one in clients:
                assert one.recv(4096).startswith(b"HTTP/1.1 200")

    ask(1000)
    before = daemon.resident_kib()
    ask(REQUESTS)
    assert daemon.resident_kib() - before < 2048
