"""A client of the HTTP socket, by Python's own HTTP client, and the gates that its tests configure."""

import http.client
import socket

GATES = {"http.gate.doctors": {"roles": ["doctor"]}, "http.gate.staff": {"roles": ["doctor", "rvt"]}}


class Client(http.client.HTTPConnection):
    """HTTP over a Unix socket, with keep-alive."""

    def __init__(self, path):
        super().__init__("claimsd")
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(30)
        self.sock.connect(self.path)

    def ask(self, target, token=None, method="GET", **headers):
        """The response, with its body read into `text`."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            fields["Authorization"] = f"Bearer {token}"
        self.request(method, target, headers=fields)
        response = self.getresponse()
        response.text = response.read().decode()
        return response
