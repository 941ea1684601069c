"""Runs the Auth API and the fault server as processes of a test.

Standard library only; used by the tests and by demo.py.
"""

import http.client
import json
import os
import pathlib
import random
import socket
import subprocess

TESTS = pathlib.Path(__file__).resolve().parents[1]
PYTHON = "/usr/bin/python3"  # Debian's, which has the modules
PATIENCE = 30


def free_port():
    """A free TCP port of 127.0.0.1, below those that the kernel gives to outgoing connections (ip(7)):
    no connection of another test takes it meanwhile."""
    for _ in range(100):
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", random.randrange(10000, 32000)))
            except OSError:
                continue
            return free.getsockname()[1]
    raise RuntimeError("100 ports of 127.0.0.1 are taken")


class Server:
    """A serve.py that announces its ports through a descriptor. `prefix` is put before its command line."""

    def __init__(self, script, *arguments, prefix=()):
        ready, write_end = os.pipe()
        self.process = subprocess.Popen(
            [*prefix, PYTHON, "-B", str(TESTS / script), *arguments, "--ready-fd", str(write_end)],
            pass_fds=[write_end], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        os.close(write_end)
        with os.fdopen(ready) as line:
            self.said = line.readline()
        if not self.said:
            raise RuntimeError(f"{script} did not start: {self.process.communicate()[1].decode()}")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate(timeout=PATIENCE)

    def kill(self):
        self.process.kill()
        self.process.communicate(timeout=PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def ask(port, method, path, body=None, token=None):
    """(status, parsed JSON or None) over a new connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    if body is not None:
        headers["Content-Type"] = "application/json"
    try:
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    return answer.status, json.loads(text) if text else None


class AuthApi(Server):
    """tests/authapi. `data` is the directory of its database and signing key."""

    def __init__(self, data, *arguments):
        self.data = pathlib.Path(data)
        super().__init__("authapi/serve.py", "--data", str(data), *arguments)
        self.port = int(self.said)
        self.url = f"http://127.0.0.1:{self.port}"

    def ask(self, method, path, body=None, token=None):
        return ask(self.port, method, path, body, token)

    def login(self, username):
        """An access token of this user of accounts/seed.py."""
        credentials = {"username": username, "password": f"{username}-demo-password"}
        status, tokens = self.ask("POST", "/api/token/", credentials)
        assert status == 200, f"login answered {status}"
        return tokens["access"]

    def logout(self, token):
        status, _ = self.ask("POST", "/api/logout/", {}, token)
        assert status in (200, 204, 205), f"logout answered {status}"

    def me_requests(self):
        return self.ask("GET", "/stats")[1]["GET /api/me/"]

    def signing_key(self):
        return (self.data / "signing.key").read_text()


class FaultServer(Server):
    """tests/faultserver; control.py lists its control requests."""

    def __init__(self, tls_directory, prefix=()):
        self.tls = pathlib.Path(tls_directory)
        super().__init__("faultserver/serve.py", "--tls-dir", str(tls_directory), prefix=prefix)
        self.ports = json.loads(self.said)

    def url(self, mode, port="http"):
        scheme = "https" if port.startswith("https") else "http"
        return f"{scheme}://127.0.0.1:{self.ports[port]}/{mode}"

    def control(self, method, path, body=None):
        status, value = ask(self.ports["http"], method, path, body)
        assert status == 200, value
        return value

    def reset(self):
        self.control("POST", "/_reset")

    def seen(self, mode):
        return self.control("GET", f"/_seen?mode={mode}")

    def count(self, mode):
        return self.seen(mode)["count"]

    def wait(self, mode, **conditions):
        query = "".join(f"&{name}={value}" for name, value in conditions.items())
        return self.control("GET", f"/_wait?mode={mode}{query}")

    def open(self, mode):
        self.control("POST", f"/_open?mode={mode}")

    def script(self, name, *steps):
        """Sets the answers of the mode script-NAME; returns the mode."""
        self.control("POST", f"/_script/{name}", list(steps))
        return f"script-{name}"

    def trap(self):
        return self.control("GET", "/_trap")

    def modes(self):
        return self.control("GET", "/_modes")
