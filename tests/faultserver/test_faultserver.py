"""The fault server behaves as its table says.

Run: /usr/bin/python3 -m pytest tests/faultserver
"""

import errno
import gzip
import hashlib
import http.client
import json
import os
import select
import socket
import ssl
import subprocess
import sys
import threading
import time

import pytest

from running_server import SERVE, FaultServer

TABLE = json.loads(subprocess.check_output([*SERVE, "--list-json"]))
CLAIMS = {"id": "user-123", "email": "tess@example.com", "role": "rvt"}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    server = FaultServer(tmp_path_factory.mktemp("faultserver"))
    yield server
    server.process.terminate()
    complaints = server.process.communicate(timeout=10)[1].decode()
    assert server.process.returncode == 0
    assert complaints == ""


@pytest.fixture
def server(running):
    running.control("POST", "/_reset")
    return running


def request(mode, extra=b""):
    return b"GET /%s/api/me/ HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (mode.encode(), extra)


def all_bytes(connection, limit=4 * 1024 * 1024):
    """Everything up to the end of the stream, at most `limit` bytes."""
    received = b""
    while len(received) < limit:
        data = connection.recv(65536)
        if not data:
            break
        received += data
    return received


def raw(server, mode, limit=4 * 1024 * 1024):
    with server.connect() as connection:
        connection.sendall(request(mode))
        return all_bytes(connection, limit)


def first_bytes(server, mode, amount):
    """Exactly `amount` bytes, and the connection to continue with."""
    connection = server.connect()
    connection.sendall(request(mode))
    received = b""
    while len(received) < amount:
        data = connection.recv(amount - len(received))
        assert data, "closed early"
        received += data
    return received, connection


def test_the_table_has_unique_modes_each_with_a_verdict():
    names = [row["mode"] for row in TABLE]
    assert len(names) == len(set(names)) >= 36
    assert {row["verdict"] for row in TABLE} == {"valid", "invalid", "unavailable"}
    listed = subprocess.check_output([*SERVE, "--list"]).decode()
    assert all(f" {name} " in listed for name in names)


@pytest.mark.parametrize("mode", [row["mode"] for row in TABLE if row["mode"] != "gate"])
def test_every_mode_does_something_distinct_and_the_server_survives(server, mode):
    """Sends, reads a little if something comes, disconnects; the server must then still work."""
    mute = {"silence"}
    with server.connect() as connection:
        connection.sendall(request(mode, b"Authorization: Bearer a-token\r\n"))
        server.wait(mode, count=1)
        if mode not in mute:
            try:
                answer = connection.recv(4096)
            except ConnectionResetError:
                answer = b""
            assert b"no mode" not in answer
            assert answer or mode in {"close", "reset"}
    server.wait(mode, in_flight=0)
    assert server.ask("ok") == (200, CLAIMS)


def test_each_mode_that_succeeds_sends_responses_that_a_plain_http_client_accepts(server):
    for mode in ("ok", "ok-close", "ok-http10", "ok-no-length", "ok-no-reason", "ok-chunked"):
        assert server.ask(mode) == (200, CLAIMS), mode
    for mode in ("ok-chunked-trailers", "ok-interim-100", "ok-trickle", "delay-5", "no-store"):
        assert server.ask(mode) == (200, CLAIMS), mode
    assert server.ask("claims-role-list")[1]["role"] == ["rvt", "admin"]
    assert server.ask("claims-extra")[1]["id"] == "user-123"


def test_error_statuses_come_with_valid_claims_that_must_not_count(server):
    for status in (403, 404, 407, 429, 500, 503):
        assert server.ask(f"status-{status}") == (status, CLAIMS)
    assert server.ask("401-claims") == (401, CLAIMS)
    assert b"WWW-Authenticate: Bearer" in raw_head(server, "401")


def raw_head(server, mode):
    with server.connect() as connection:
        connection.sendall(request(mode, b"Connection: close\r\n"))
        return all_bytes(connection).partition(b"\r\n\r\n")[0]


def test_retry_after_is_sent_as_requested(server):
    assert b"\r\nRetry-After: 7" in raw_head(server, "status-503-retry-after-7")
    assert b"\r\nRetry-After: 31\r\n" in raw_head(server, "status-429-retry-after-31")
    assert b" GMT" in raw_head(server, "status-503-retry-after-date")
    assert b"Retry-After" not in raw_head(server, "status-503")


def test_cache_control_is_sent_as_requested(server):
    assert b"\r\nCache-Control: max-age=5\r\n" in raw_head(server, "max-age-5")
    head = raw_head(server, "max-age-30-age-28")
    assert b"max-age=30" in head and b"\r\nAge: 28\r\n" in head


def test_silence_holds_the_connection_and_sends_nothing(server):
    with server.connect() as connection:
        connection.sendall(request("silence"))
        assert server.wait("silence", count=1)["in_flight"] == 1
        connection.setblocking(False)
        with pytest.raises(BlockingIOError):
            connection.recv(1)
    assert server.wait("silence", in_flight=0)["count"] == 1


def test_reset_sends_a_reset_and_close_closes(server):
    assert raw(server, "close") == b""
    with pytest.raises(ConnectionResetError):
        raw(server, "reset")


def test_cut_answers_end_early(server):
    assert raw(server, "cut-status-line") == b"HTTP/1.1 2"
    assert b"\r\n\r\n" not in raw(server, "cut-headers")
    head, _, body = raw(server, "cut-body").partition(b"\r\n\r\n")
    assert int(head.rpartition(b" ")[2]) == len(body) + 5
    assert not raw(server, "cut-chunked").endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    "mode", ["endless-headers", "endless-chunks", "endless-body", "endless-interim"]
)
def test_endless_answers_exceed_any_cap(server, mode):
    amount = 1024 if mode == "endless-interim" else 1024 * 1024
    _, connection = first_bytes(server, mode, amount)
    connection.close()
    server.wait(mode, in_flight=0)


@pytest.mark.parametrize("mode", ["slow-headers", "slow-body"])
def test_slow_answers_come_in_single_bytes(server, mode):
    connection = server.connect()
    connection.sendall(request(mode))
    connection.recv(65536)
    assert [len(connection.recv(65536)) for _ in range(3)] == [1, 1, 1]
    connection.close()


def test_large_bodies_are_valid_json_over_the_cap(server):
    for mode in ("body-300k", "body-300k-chunked"):
        status, claims = server.ask(mode)
        assert status == 200 and claims["id"] == "user-123"
        assert len(json.dumps(claims)) > 256 * 1024


def test_gzip_modes_are_gzip(server):
    assert json.loads(gzip.decompress(server.ask("gzip")[1])) == CLAIMS
    bomb = server.ask("gzip-bomb")[1]
    assert len(bomb) < 64 * 1024 < len(gzip.decompress(bomb))


def test_bad_bodies_are_bad_in_the_way_they_are_named(server):
    assert server.ask("id-number")[1]["id"] == 123
    assert "id" not in server.ask("id-missing")[1]
    assert server.ask("id-nul")[1]["id"] == "user-123\0x"
    assert b'"id"' in raw_body(server, "duplicate-id").partition(b'"role"')[2]
    with pytest.raises(UnicodeDecodeError):
        raw_body(server, "id-bad-utf8").decode()
    for mode in ("truncated-json", "two-documents", "trailing-garbage", "bad-atom"):
        with pytest.raises(ValueError):
            json.loads(raw_body(server, mode))
    assert raw_body(server, "deep-100000").count(b"[") == 100000


def raw_body(server, mode):
    with server.connect() as connection:
        connection.sendall(request(mode, b"Connection: close\r\n"))
        return all_bytes(connection).partition(b"\r\n\r\n")[2]


def test_redirects_point_to_this_server_or_to_the_trap(server):
    assert b"\r\nLocation: /redirect-target/api/me/" in raw_head(server, "redirect-307")
    trap = b"http://127.0.0.1:%d/api/me/" % server.ports["proxy_trap"]
    assert trap in raw_head(server, "redirect-302-other-port")
    assert b"Location: file://" in raw_head(server, "redirect-302-file")


def test_the_trap_records_connections_and_whether_a_bearer_token_came(server):
    untouched = {"connections": 0, "bytes": 0, "contains_bearer": False}
    assert server.control("GET", "/_trap") == untouched
    with server.connect("proxy_trap") as connection:
        said = request("x", b"Authorization: bEaReR secret\r\n")
        for position in range(len(said)):  # must be found across segments, too
            connection.sendall(said[position : position + 1])
        assert b"user-trapped" in connection.recv(4096)
    seen = server.control("GET", "/_trap")
    assert seen == {"connections": 1, "bytes": len(said), "contains_bearer": True}


def test_a_stale_connection_is_closed_before_or_at_the_second_request(server):
    _, connection = first_bytes(server, "stale-close", 50)
    assert all_bytes(connection)
    _, connection = first_bytes(server, "stale-race", 50)
    connection.recv(4096)
    connection.sendall(request("stale-race"))
    assert connection.recv(1) == b""


def test_records_have_header_names_and_a_hash_but_no_value(server):
    server.ask("ok", token="s3cret")
    seen = server.seen("ok")
    assert (seen["count"], seen["concurrent_max"], seen["in_flight"]) == (1, 1, 0)
    assert seen["last"]["method"] == "GET" and seen["last"]["path"] == "/ok/api/me/"
    assert "Authorization" in seen["last"]["headers"]
    assert seen["last"]["authorization_sha256"] == hashlib.sha256(b"Bearer s3cret").hexdigest()
    assert "s3cret" not in json.dumps(seen)
    assert server.seen("never")["count"] == 0


def test_echo_derives_different_users_from_different_tokens(server):
    for token in ("one", "two"):
        expected = "user-" + hashlib.sha256(token.encode()).hexdigest()[:8]
        assert server.ask("echo", token)[1]["id"] == expected
    with server.connect() as connection:
        connection.sendall(request("echo", b"Connection: close\r\n"))
        assert all_bytes(connection).startswith(b"HTTP/1.1 401 ")


def test_junk_is_rejected_and_all_else_is_echoed(server):
    assert server.ask("junk-refused", "junk-1")[0] == 401
    assert server.ask("junk-refused", "a-junk-1") == server.ask("echo", "a-junk-1")
    with server.connect() as connection:
        connection.sendall(request("junk-refused", b"Connection: close\r\n"))
        assert all_bytes(connection).startswith(b"HTTP/1.1 401 ")


def test_the_door_drops_and_refuses_connections_and_opens_again(server):
    server.control("POST", "/_door?open=1")  # already open: no effect
    with server.connect("door") as guest:
        guest.sendall(request("echo", b"Authorization: Bearer x\r\n"))
        assert guest.recv(4096).startswith(b"HTTP/1.1 200 ")
        server.control("POST", "/_door?open=0")
        assert all_bytes(guest) == b""
    with pytest.raises(ConnectionRefusedError):
        server.connect("door")
    server.control("POST", "/_door?open=1")
    with server.connect("door") as guest:
        guest.sendall(request("echo", b"Authorization: Bearer x\r\n"))
        assert guest.recv(4096).startswith(b"HTTP/1.1 200 ")


def test_records_have_the_concurrency_at_each_arrival(server):
    server.ask("echo")
    server.ask("echo")
    askers = [threading.Thread(target=server.ask, args=("gate", f"token-{n}")) for n in range(3)]
    for asker in askers:
        asker.start()
    server.wait("gate", count=3)
    server.control("POST", "/_open")
    for asker in askers:
        asker.join()
    assert (server.seen("echo")["early"], server.seen("gate")["early"]) == ([1, 1], [1, 2, 3])


def test_a_gate_holds_all_requests_until_it_is_opened(server):
    answers = []
    askers = [
        threading.Thread(target=lambda n=n: answers.append(server.ask("gate", f"token-{n}")))
        for n in range(10)
    ]
    for asker in askers:
        asker.start()
    assert server.wait("gate", count=10, in_flight=10)["concurrent_max"] == 10
    assert answers == []
    server.control("POST", "/_open")
    for asker in askers:
        asker.join()
    assert len({claims["id"] for _, claims in answers}) == 10
    assert server.ask("gate")[0] == 200, "an open gate stays open"


def test_a_named_gate_opens_alone(server):
    with server.connect() as held, server.connect() as free:
        held.sendall(request("gate-a", b"Authorization: Bearer x\r\n"))
        free.sendall(request("gate-b", b"Authorization: Bearer x\r\n"))
        server.wait("gate-a", count=1)
        server.wait("gate-b", count=1)
        server.control("POST", "/_open?mode=gate-b")
        assert free.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert server.seen("gate-a")["in_flight"] == 1


def test_a_wait_that_times_out_gets_504(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.ports["http"], timeout=10)
    connection.request("GET", "/_wait?mode=never&count=1&timeout_ms=10")
    assert connection.getresponse().status == 504
    connection.close()


def test_a_script_is_followed_and_its_last_step_repeats(server):
    steps = [
        {"status": 503, "headers": {"Retry-After": "1"}},
        {"status": 200, "body": {"id": "user-1"}, "delay_ms": 5},
        {"status": 200, "body": "{raw"},
        {"mode": "status-403"},
        {"status": 200},
    ]
    server.control("POST", "/_script/story", steps)
    assert server.ask("script-story")[0] == 503
    assert server.ask("script-story") == (200, {"id": "user-1"})
    with pytest.raises(ValueError):
        server.ask("script-story")
    assert server.ask("script-story") == (403, CLAIMS)
    for token in ("a", "b"):
        assert server.ask("script-story", token)[1]["id"].startswith("user-")
    assert server.ask("script-unknown")[0] == 500
    assert server.seen("script-story")["count"] == 6


def test_an_unknown_mode_names_the_list_of_modes(server):
    status, body = server.ask("no-such-mode")
    assert status == 404 and "--list" in body["error"]


def over_tls(server, listener, trusted=True, certificate=False):
    """The first line of the answer over that listener, with a client that verifies everything."""
    context = ssl.create_default_context()
    if trusted:
        context.load_verify_locations(server.tls / "ca.pem")
    if certificate:
        context.load_cert_chain(server.tls / "client.pem", server.tls / "client.key")
    with server.connect(listener) as plain:
        with context.wrap_socket(
            plain, server_hostname="localhost", suppress_ragged_eofs=False
        ) as connection:
            connection.sendall(request("ok"))
            answer = connection.recv(4096)
    if not answer:
        raise ConnectionError("closed without an answer")
    return answer.partition(b"\r\n")[0]


def test_good_tls_works_for_clients_that_trust_its_authority(server):
    assert over_tls(server, "https") == b"HTTP/1.1 200 OK"
    with pytest.raises(ssl.SSLCertVerificationError):
        over_tls(server, "https", trusted=False)


@pytest.mark.parametrize(
    "listener, complaint",
    [
        ("https_wrong_name", "Hostname mismatch"),
        ("https_expired", "has expired"),
        ("https_not_yet_valid", "not yet valid"),
        ("https_self_signed", "self-signed|self signed"),
    ],
)
def test_each_bad_certificate_fails_verification_for_its_own_reason(server, listener, complaint):
    with pytest.raises(ssl.SSLCertVerificationError, match=complaint):
        over_tls(server, listener)
    assert server.seen("ok")["count"] == 0


def test_a_client_certificate_is_required(server):
    with pytest.raises(OSError):
        over_tls(server, "https_client_cert")
    assert server.seen("ok")["count"] == 0
    assert over_tls(server, "https_client_cert", certificate=True) == b"HTTP/1.1 200 OK"


def test_a_reset_over_tls_is_not_a_clean_close(server):
    context = ssl.create_default_context(cafile=str(server.tls / "ca.pem"))
    with server.connect("https") as plain:
        with context.wrap_socket(
            plain, server_hostname="localhost", suppress_ragged_eofs=False
        ) as connection:
            connection.sendall(request("reset"))
            with pytest.raises(OSError):
                connection.recv(1)


def test_the_silent_listener_leaves_a_handshake_waiting(server):
    with server.connect("https_silent") as connection:
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            ssl.create_default_context().wrap_socket(connection, server_hostname="localhost")


def test_the_full_listener_never_completes_a_connection(server):
    with socket.socket() as connection:
        connection.setblocking(False)
        assert connection.connect_ex(("127.0.0.1", server.ports["tcp_full"])) == errno.EINPROGRESS
        connection.settimeout(0.2)
        with pytest.raises(OSError):
            connection.getpeername()
        connection.setblocking(False)
        assert connection.connect_ex(("127.0.0.1", server.ports["tcp_full"])) == errno.EALREADY


def test_private_keys_are_private_and_the_port_file_is_complete(server):
    assert (server.tls / "https.key").stat().st_mode & 0o777 == 0o600
    assert json.loads(server.port_file.read_text()) == server.ports


def test_echo_is_fast_enough_for_a_load_test_upstream(server):
    """Far below its real rate (thousands per second): only a stall per request can fail this."""
    ask = request("echo", b"Authorization: Bearer x\r\n")
    with server.connect() as connection:
        started = time.monotonic()
        for _ in range(500):
            connection.sendall(ask)
            assert connection.recv(4096)
        assert time.monotonic() - started < 10


def test_it_ends_with_its_parent(tmp_path):
    starter = (
        "import os, subprocess, sys\n"
        "ready, said = os.pipe()\n"
        "p = subprocess.Popen([*sys.argv[1:], '--ready-fd', str(said)], pass_fds=[said])\n"
        "os.close(said)\n"
        "os.read(ready, 1000)\n"
        "print(p.pid, flush=True)\n"
        "p.wait()\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", starter, *SERVE], stdout=subprocess.PIPE)
    ended = os.pidfd_open(int(parent.stdout.readline()))
    parent.kill()
    parent.communicate()
    assert select.select([ended], [], [], 10)[0]
    os.close(ended)
