"""The clients of client/examples/, each as its own program against a real daemon: 200, 401, 403 and 503, a timeout, and no daemon."""

import os
import pathlib
import shutil
import socket
import subprocess
import time

import pytest

from http_client import RawClient
from peer import until

EXAMPLES = pathlib.Path(__file__).resolve().parents[2] / "client" / "examples"
DEBIAN_MODULES = "/usr/share/nodejs"
PROGRAMS = {"node": "node", "express": "node", "go": "go", "php": "php"}
SHELL_STATUS = {0: 200, 1: 401, 4: 403, 3: 503}


class Backend:
    """An example that serves HTTP."""

    def __init__(self, name, build, root, claimsd):
        env = {**os.environ, "CLAIMSD_SOCKET": str(claimsd), "PORT": "0", "NODE_PATH": DEBIAN_MODULES}
        command = getattr(self, f"_{name}")(build)
        self._log = open(root / "backend.log", "w+b")
        self.port = None
        self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._log)
        if name == "php":
            until(self._port_of_php, "PHP listens")
        else:
            self.port = int(self._process.stdout.readline())

    @staticmethod
    def _node(_):
        return ["node", str(EXAMPLES / "node" / "server.js")]

    @staticmethod
    def _express(_):
        return ["node", str(EXAMPLES / "node" / "express_server.js")]

    @staticmethod
    def _go(build):
        """Compiled once for each build directory."""
        binary = build / "go" / "claimsd-example"
        env = {**os.environ, "GOCACHE": str(build / "go" / "cache"), "GOFLAGS": "", "GOPROXY": "off", "GO111MODULE": "off"}
        subprocess.run(["go", "build", "-o", str(binary), str(EXAMPLES / "go" / "claimsd.go")], env=env, check=True)
        return [str(binary)]

    @staticmethod
    def _php(_):
        return ["php", "-S", "127.0.0.1:0", str(EXAMPLES / "php" / "gated.php")]

    def _port_of_php(self):
        """PHP's own server prints no port that it chose; the kernel knows it."""
        inodes = set()
        for link in pathlib.Path(f"/proc/{self._process.pid}/fd").iterdir():
            try:
                target = os.readlink(link)
            except FileNotFoundError:  # it was closed since
                continue
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
        for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and fields[3] == "0A":
                self.port = int(fields[1].split(":")[1], 16)
        return self.port

    def ask(self, token):
        """(status, headers, body)"""
        with RawClient(socket.create_connection(("127.0.0.1", self.port), timeout=30)) as client:
            response = client.ask("/", token, headers=[("Connection", "close")])
        return response.status, dict(response.headers), response.body.decode()

    def stop(self):
        self._process.terminate()
        self._process.communicate(timeout=30)
        self._log.close()


@pytest.fixture(name="daemon")
def daemon_with_gate(claimsd):
    def make(upstream):
        return claimsd(upstream, start=False, **{"http.gate.doctors": {"roles": ["doctor"]}}).serve_http().start()

    return make


@pytest.fixture(name="backend", params=sorted(PROGRAMS))
def backend_in_each_language(request, build, scratch):
    if shutil.which(PROGRAMS[request.param]) is None:
        pytest.fail(f"there is no {PROGRAMS[request.param]}: install what ./dev setup installs")
    made = []

    def make(path):
        made.append(Backend(request.param, build, scratch(), path))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def test_a_backend_keeps_the_verdicts_apart(daemon, backend, auth_api):
    running = daemon(auth_api.url)
    asked = backend(running.http_socket)
    status, _, body = asked.ask(auth_api.login("dana"))
    assert (status, body) == (200, "hello, dana@example.com\n")
    status, headers, body = asked.ask(auth_api.login("tess"))
    assert (status, body) == (403, "")
    for token, challenge in (("wrong", 'Bearer realm="api", error="invalid_token"'), (None, 'Bearer realm="api"')):
        status, headers, body = asked.ask(token)
        assert (status, headers["www-authenticate"], body) == (401, challenge, "")
    running.stop()
    status, headers, body = asked.ask(auth_api.login("dana"))
    assert (status, body) == (503, "") and int(headers["retry-after"]) >= 1
    running.start()  # connections that were kept are gone
    assert asked.ask(auth_api.login("dana"))[0] == 200


def test_an_outage_of_the_auth_api_is_503_with_retry_after(daemon, backend, faults):
    asked = backend(daemon(faults.url(faults.script("outage", {"status": 503}))).http_socket)
    status, headers, _ = asked.ask("token")
    assert status == 503 and int(headers["retry-after"]) >= 1 and "www-authenticate" not in headers


def test_a_daemon_that_does_not_answer_is_503_in_time(backend, scratch):
    path = scratch() / "h.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen(8)
        asked = backend(path)
        began = time.monotonic()
        assert asked.ask("token")[0] == 503
        assert time.monotonic() - began < 15


def test_an_email_address_with_every_kind_of_character_is_decoded(daemon, backend, faults):
    asked = backend(daemon(faults.url(faults.script("names", {"body": {"id": "1", "email": "ä+%,\"@example.com", "role": "doctor"}}))).http_socket)
    status, _, body = asked.ask("token")
    assert status == 200
    assert body == 'hello, ä+%,"@example.com\n'


def shell(path, token):
    done = subprocess.run([str(EXAMPLES / "shell" / "claimsd.sh"), "doctors"], input=token, env={**os.environ, "CLAIMSD_SOCKET": str(path)}, capture_output=True, text=True,
                          timeout=30, check=False)
    return SHELL_STATUS[done.returncode], done.stdout


def test_the_shell_script(daemon, auth_api, faults, scratch):
    running = daemon(auth_api.url)
    assert shell(running.http_socket, auth_api.login("dana") + "\n") == (200, "Id user-201\nEmail dana@example.com\nRoles doctor\n")
    assert shell(running.http_socket, auth_api.login("dana"))[0] == 200
    assert shell(running.http_socket, auth_api.login("tess")) == (403, "")
    assert shell(running.http_socket, "wrong\n") == (401, "")
    assert shell(running.http_socket, "") == (401, "")
    running.stop()
    assert shell(running.http_socket, "token\n") == (503, "")
    outage = daemon(faults.url(faults.script("outage", {"status": 503})))
    assert shell(outage.http_socket, "token\n") == (503, "")
    path = scratch() / "h.sock"
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen(8)
        assert shell(path, "token\n") == (503, "")
