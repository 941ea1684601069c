"""The requests of proxies that are not run here, replayed at a real daemon: Envoy over the Unix socket, Traefik over a loopback port that systemd holds."""

import pathlib
import socket
import sys

import pytest

from daemon import StartFailed
from http_client import RawClient

REQUESTS = pathlib.Path(__file__).resolve().parents[1] / "testdata" / "proxies"
# Opens a loopback port as systemd does, then becomes the daemon (sd_listen_fds(3)).
HOLD_PORT = """
import os, pathlib, socket, sys
held = socket.create_server((sys.argv.pop(1), 0))
pathlib.Path(sys.argv[1]).write_text(str(held.getsockname()[1]))
os.dup2(held.fileno(), 3)
os.set_inheritable(3, True)  # it may have been 3 before
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="http")
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.fixture
def clients(claimsd, auth_api):
    """Makes a daemon with both sockets; returns functions that connect to the Unix socket and to the port."""
    daemon = claimsd(auth_api.url, start=False, **{"http.gate.doctors": {"roles": ["doctor"]}})
    path = daemon.serve_http().http_socket
    port_file = daemon.root / "port"
    daemon.start(prefix=(sys.executable, "-c", HOLD_PORT, "127.0.0.1", str(port_file)))

    def unix():
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(30)
        client.connect(str(path))
        return RawClient(client)

    def port():
        return RawClient(socket.create_connection(("127.0.0.1", int(port_file.read_text())), timeout=30))

    return {"envoy": unix, "envoy_options": unix, "traefik": port}


def request(name, token):
    text = (REQUESTS / f"{name}.http").read_text()
    assert "TOKEN" in text
    if token is None:
        text = "".join(line for line in text.splitlines(keepends=True) if "TOKEN" not in line)
    return text.replace("\n", "\r\n").replace("TOKEN", token or "").encode()


@pytest.mark.parametrize("name", ["envoy", "envoy_options", "traefik"])
def test_a_request_as_the_proxy_sends_it(clients, auth_api, name):
    with clients[name]() as client:
        for token, status in ((auth_api.login("dana"), 200), (auth_api.login("tess"), 403), ("wrong", 401), (None, 401), (auth_api.login("dana"), 200)):
            client.send(request(name, token))
            response = client.response()
            assert response.status == status
            identity = {key: value for key, value in response.headers if key.startswith("x-claims-")}
            assert identity == ({"x-claims-id": "user-201", "x-claims-email": "dana@example.com", "x-claims-roles": "doctor", "x-claims-truncated": "0"} if status == 200 else {})
            assert (response.header("www-authenticate") is not None) is (status == 401)


def test_over_a_port_only_a_host_header_that_names_the_loopback_is_served(clients, auth_api):
    token = auth_api.login("dana")
    with clients["traefik"]() as client:
        client.send(request("traefik", token).replace(b"127.0.0.1:9180", b"attacker.example"))
        assert client.response().status == 403


def test_a_port_that_other_hosts_can_reach_is_refused(claimsd, auth_api):
    daemon = claimsd(auth_api.url, start=False)
    with pytest.raises(StartFailed) as failed:
        daemon.start(prefix=(sys.executable, "-c", HOLD_PORT, "0.0.0.0", str(daemon.root / "port")))
    assert "can be reached from other hosts: set ListenStream=" in failed.value.printed
