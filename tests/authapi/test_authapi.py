"""The Auth API used by demo and tests follows the contract.

Run: /usr/bin/python3 -m pytest tests/authapi
"""

import base64
import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
SERVE = [sys.executable, os.path.join(HERE, "serve.py")]


class Api:
    """A running Auth API and one kept-alive connection to it."""

    def __init__(self, data, *options):
        ready, write_end = os.pipe()
        self.process = subprocess.Popen(
            [*SERVE, "--data", str(data), "--ready-fd", str(write_end), *options],
            pass_fds=[write_end],
            stderr=subprocess.PIPE,
        )
        os.close(write_end)
        with os.fdopen(ready) as line:
            said = line.readline()
        if not said:
            raise RuntimeError(self.process.communicate()[1].decode())
        self.port = int(said)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)

    def ask(self, method, path, body=None, token=None):
        """Returns (status, headers, parsed JSON body or None)."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            body = json.dumps(body)
            headers["Content-Type"] = "application/json"
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        is_json = answer.headers["Content-Type"] == "application/json"
        return answer.status, answer.headers, json.loads(text) if is_json else None

    def login(self, username="tess"):
        credentials = {"username": username, "password": f"{username}-demo-password"}
        status, _, tokens = self.ask("POST", "/api/token/", credentials)
        assert status == 200
        return tokens

    def stop(self):
        """Stops the server; returns its stderr."""
        self.connection.close()
        self.process.terminate()
        return self.process.communicate(timeout=10)[1].decode()


@pytest.fixture(scope="module")
def api(tmp_path_factory):
    running = Api(tmp_path_factory.mktemp("authapi"))
    yield running
    running.stop()


def test_a_login_by_username_gives_two_tokens_and_me_returns_the_claims(api):
    tokens = api.login("tess")
    assert set(tokens) == {"access", "refresh"}
    status, headers, claims = api.ask("GET", "/api/me/", token=tokens["access"])
    assert status == 200
    assert headers["Content-Type"] == "application/json"
    assert claims == {
        "id": "user-101",
        "email": "tess@example.com",
        "role": "rvt",
        "name": "Tess Arndt",
        "username": "tess",
        "clinic": "North",
    }


def test_a_login_by_email_gives_the_same_user(api):
    credentials = {"email": "dana@example.com", "password": "dana-demo-password"}
    status, _, tokens = api.ask("POST", "/api/token/", credentials)
    assert status == 200
    assert api.ask("GET", "/api/me/", token=tokens["access"])[2]["id"] == "user-201"


@pytest.mark.parametrize(
    "credentials",
    [
        {"username": "tess", "password": "wrong"},
        {"email": "tess@example.com", "password": "dana-demo-password"},
        {"email": "unknown@example.com", "password": "wrong"},
        {"username": "", "email": "unknown@example.com", "password": "wrong"},
    ],
)
def test_a_wrong_login_gives_no_token(api, credentials):
    status, _, body = api.ask("POST", "/api/token/", credentials)
    assert status in (400, 401)
    assert "access" not in body


def test_a_login_without_a_name_is_rejected_with_the_missing_fields(api):
    status, _, body = api.ask("POST", "/api/token/", {"password": "x"})
    assert status == 400
    assert "username or an email" in json.dumps(body)


@pytest.mark.parametrize(
    "username, role",
    [("tess", "rvt"), ("dmitri", "doctor"), ("ada", "admin"), ("rosa", "receptionist")],
)
def test_every_role_of_the_contract_has_a_user(api, username, role):
    token = api.login(username)["access"]
    assert api.ask("GET", "/api/me/", token=token)[2]["role"] == role


def test_api_me_sends_no_caching_headers(api):
    _, headers, _ = api.ask("GET", "/api/me/", token=api.login()["access"])
    for name in ("Cache-Control", "Expires", "Age", "Pragma"):
        assert name not in headers


def tampered(token):
    head, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    claims["user_id"] = "user-301"
    forged = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"{head}.{forged}.{signature}"


def test_me_rejects_missing_junk_tampered_and_refresh_tokens(api):
    tokens = api.login()
    for token in (None, "junk", tampered(tokens["access"]), tokens["refresh"]):
        status, headers, body = api.ask("GET", "/api/me/", token=token)
        assert status == 401
        assert headers["WWW-Authenticate"].startswith("Bearer")
        assert "id" not in body


def test_a_refresh_token_gives_a_new_access_token(api):
    tokens = api.login("remy")
    status, _, body = api.ask("POST", "/api/token/refresh/", {"refresh": tokens["refresh"]})
    assert status == 200
    assert body["access"] != tokens["access"]
    assert api.ask("GET", "/api/me/", token=body["access"])[2]["id"] == "user-402"


def test_an_access_token_cannot_be_used_to_refresh(api):
    status, _, _ = api.ask("POST", "/api/token/refresh/", {"refresh": api.login()["access"]})
    assert status == 401


def test_logout_ends_this_access_token_and_no_other(api):
    first, second = api.login()["access"], api.login()["access"]
    assert api.ask("POST", "/api/logout/", token=first)[0] == 204
    assert api.ask("GET", "/api/me/", token=first)[0] == 401
    assert api.ask("GET", "/api/me/", token=second)[0] == 200
    assert api.ask("POST", "/api/logout/", token=first)[0] == 401


def test_logout_ends_the_given_refresh_token(api):
    tokens = api.login()
    refresh = {"refresh": tokens["refresh"]}
    assert api.ask("POST", "/api/token/refresh/", refresh)[0] == 200
    assert api.ask("POST", "/api/logout/", refresh, tokens["access"])[0] == 204
    assert api.ask("POST", "/api/token/refresh/", refresh)[0] == 401


def test_logout_without_a_token_is_rejected(api):
    assert api.ask("POST", "/api/logout/")[0] == 401


def test_a_connection_is_kept_alive(api):
    api.ask("GET", "/api/me/")
    before = api.connection.sock.getsockname()
    api.ask("GET", "/api/me/")
    assert api.connection.sock.getsockname() == before


def test_stats_count_every_request_of_many_threads_and_workers(tmp_path):
    path = str(tmp_path / "api.sock")
    api = Api(tmp_path / "data", "--workers", "2", "--unix", path)
    try:
        token = api.login()["access"]

        def ask_often():
            mine = http.client.HTTPConnection("127.0.0.1", api.port, timeout=10)
            for _ in range(20):
                mine.request("GET", "/api/me/", headers={"Authorization": f"Bearer {token}"})
                assert mine.getresponse().read()
            mine.close()

        threads = [threading.Thread(target=ask_often) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        api.ask("GET", "/nowhere")
        with socket.socket(socket.AF_UNIX) as unix:
            unix.connect(path)
            unix.sendall(b"GET /api/me/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            assert unix.recv(12) == b"HTTP/1.1 401"
        assert api.ask("GET", "/stats")[2] == {
            "GET /api/me/": 161,
            "POST /api/token/": 1,
            "POST /api/token/refresh/": 0,
            "POST /api/logout/": 0,
            "other": 1,
        }
    finally:
        log = api.stop()
    assert token not in log


def test_an_expired_token_is_rejected(tmp_path):
    # `exp` has whole seconds: up to one of these three is over when the token is issued.
    api = Api(tmp_path, "--access-seconds", "3")
    try:
        token = api.login()["access"]
        assert api.ask("GET", "/api/me/", token=token)[0] == 200
        payload = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        # Wait for the clock itself: nothing signals the expiry.
        time.sleep(max(0, payload["exp"] + 0.1 - time.time()))
        assert api.ask("GET", "/api/me/", token=token)[0] == 401
    finally:
        api.stop()


def test_tokens_and_logouts_survive_a_restart_but_not_another_data_directory(tmp_path):
    api = Api(tmp_path / "one")
    kept, ended = api.login()["access"], api.login()["access"]
    api.ask("POST", "/api/logout/", token=ended)
    api.stop()
    again, other = Api(tmp_path / "one"), Api(tmp_path / "two")
    try:
        assert again.ask("GET", "/api/me/", token=kept)[0] == 200
        assert again.ask("GET", "/api/me/", token=ended)[0] == 401
        assert other.ask("GET", "/api/me/", token=kept)[0] == 401
    finally:
        again.stop()
        other.stop()
    assert (tmp_path / "one" / "signing.key").stat().st_mode & 0o777 == 0o600


def children_of(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
        return [int(child) for child in children.read().split()]


def wait_until_gone(pids):
    """A pidfd becomes readable when its process has ended."""
    for pid in pids:
        try:
            ended = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            assert select.select([ended], [], [], 10)[0], f"process {pid} is still there"
        finally:
            os.close(ended)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_is_clean_and_leaves_no_process(tmp_path, how):
    api = Api(tmp_path)
    api.ask("GET", "/api/me/")  # a kept-alive connection must not delay it
    tree = [api.process.pid, *children_of(api.process.pid)]
    assert len(tree) == 2
    api.process.send_signal(how)
    assert api.process.wait(timeout=10) == 0
    wait_until_gone(tree)


def test_it_dies_with_its_parent(tmp_path):
    port_file = tmp_path / "port"
    starter = (
        "import os, subprocess, sys\n"
        "ready, said = os.pipe()\n"
        "p = subprocess.Popen([*sys.argv[1:], '--ready-fd', str(said)], pass_fds=[said])\n"
        "os.close(said)\n"
        "print(p.pid, os.read(ready, 100).decode(), flush=True)\n"
        "p.wait()\n"
    )
    command = [*SERVE, "--data", str(tmp_path), "--port-file", str(port_file)]
    parent = subprocess.Popen([sys.executable, "-c", starter, *command], stdout=subprocess.PIPE)
    server, port = (int(word) for word in parent.stdout.readline().split())
    assert port_file.read_text() == f"{port}\n"
    socket.create_connection(("127.0.0.1", port)).close()
    tree = [server, *children_of(server)]
    parent.kill()
    parent.communicate()
    wait_until_gone(tree)
