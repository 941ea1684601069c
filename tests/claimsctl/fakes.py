"""Fake daemon and admin API: the test sets what they answer on the two sockets.

Standard library only. Both serve on threads, which close() ends.
"""

import http.server
import os
import socket
import socketserver
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
import wire  # noqa: E402

VALID, INVALID, UNAVAILABLE = 1, 2, 3
CACHE, UPSTREAM = 3, 4


def receive_frame(connection):
    """One whole frame, or b"" at the end."""
    data = b""
    while len(data) < wire.HEADER.size or len(data) < frame_size(data):
        more = connection.recv(65536)
        if not more:
            return b""
        data += more
    return data


def frame_size(data):
    return wire.HEADER.size + wire.HEADER.unpack_from(data)[0]


class FakeDaemon:
    """Speaks the protocol on a Unix socket. Every Query gets `answer`; None means no reply.

    `failure`: a code of PROTOCOL.md, sent in reply to Hello. `hang_up_after`: the number of pings
    that are answered before the connection is closed and no new one is accepted.
    """

    def __init__(self, path, answer=None, failure=None, hang_up_after=None):
        self.path, self.answer, self.failure = path, answer, failure
        self.pings_left = hang_up_after
        self.seen = []  # (name, fields) of every frame
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        with connection:
            while frame := receive_frame(connection):
                name, request_id, fields = wire.decode(frame)
                self.seen.append((name, fields))
                reply = self._reply(name, fields)
                if reply is None:
                    return
                if reply:
                    connection.sendall(wire.encode(reply[0], request_id, reply[1]))

    def _reply(self, name, fields):
        """(name, fields) to reply; () to stay silent; None to hang up."""
        if name == "Hello":
            if self.failure:
                return "Failure", {"code": self.failure, "text": b"no"}
            return "Welcome", {"version": wire.VERSION, "daemon_version": b"9.9.9", "upstream_name": b"main"}
        if name == "Ping":
            if self.pings_left is not None:
                self.pings_left -= 1
                if self.pings_left < 0:
                    return None
            return "Pong", {"echo": fields["echo"]}
        return ("Answer", self.answer) if self.answer else ()


def valid_answer(raw=b'{"id":"user-123","email":"tech@example.com","role":"rvt"}', **fields):
    claims = wire.encode_claims(b"user-123", b"tech@example.com", [b"rvt", b"doctor"], raw)
    return {"verdict": VALID, "source": CACHE, "reason": 0, "age_ms": 1250, "ttl_ms": 58750,
            "claims": claims, **fields}


class _UnixHttpServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class FakeAdmin:
    """HTTP on a Unix socket: every GET gets `status` and `body`; its path is appended to
    `paths`."""

    def __init__(self, path, body, status=200):
        admin = self
        self.paths = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                admin.paths.append(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def address_string(self):
                return "unix"

            def log_message(self, *_):
                pass

        self.server = _UnixHttpServer(path, Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
