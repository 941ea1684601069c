"""The fault server as a process, for its own tests."""

import http.client
import json
import os
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SERVE = [sys.executable, os.path.join(HERE, "serve.py")]


class FaultServer:
    def __init__(self, directory):
        self.tls = directory / "tls"
        ready, write_end = os.pipe()
        self.port_file = directory / "ports.json"
        self.process = subprocess.Popen(
            [*SERVE, "--port-file", str(self.port_file), "--tls-dir", str(self.tls)]
            + ["--ready-fd", str(write_end)],
            pass_fds=[write_end],
            stderr=subprocess.PIPE,
        )
        os.close(write_end)
        with os.fdopen(ready) as line:
            self.ports = json.loads(line.readline())

    def connect(self, port="http"):
        connection = socket.create_connection(("127.0.0.1", self.ports[port]))
        connection.settimeout(10)
        return connection

    def control(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["http"], timeout=15)
        connection.request(method, path, body and json.dumps(body))
        answer = connection.getresponse()
        value = json.loads(answer.read())
        connection.close()
        assert answer.status == 200, value
        return value

    def seen(self, mode):
        return self.control("GET", f"/_seen?mode={mode}")

    def wait(self, mode, **conditions):
        query = "".join(f"&{name}={value}" for name, value in conditions.items())
        return self.control("GET", f"/_wait?mode={mode}{query}")

    def ask(self, mode, token="a-token"):
        """(status, parsed or raw body) with a client that checks nothing."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports["http"], timeout=10)
        connection.request("GET", f"/{mode}/api/me/", headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, json.loads(body) if body[:1] == b"{" else body
