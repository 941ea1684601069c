"""HTTP/1.1 by hand, so that a mode controls every byte sent.

A Connection reads one request at a time and passes it to `dispatch(exchange)`, which either answers
immediately or returns a coroutine that may take any time. Everything runs on one event loop.
"""

import asyncio
import hashlib
import socket
import struct

# Clients of tests send small requests; a larger one is a bug in the test.
MAX_HEAD_BYTES = 256 * 1024
MAX_REQUEST_BODY_BYTES = 1024 * 1024

REASONS = {
    200: "OK", 201: "Created", 202: "Accepted", 204: "No Content", 301: "Moved Permanently",
    302: "Found", 307: "Temporary Redirect", 308: "Permanent Redirect", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 429: "Too Many Requests", 500: "Internal Server Error",
    503: "Service Unavailable",
}  # fmt: skip


def response(status=200, body=b"", headers=(), content_type="application/json"):
    """A complete, well-formed response with Content-Length; `headers` are (name, value) pairs."""
    lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Because')}"]
    if content_type and body:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"{name}: {value}" for name, value in headers]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class Request:
    """One parsed request. `headers` are (name as sent, value) pairs of bytes."""

    def __init__(self, head, body=b""):
        first, *lines = head.split(b"\r\n")
        self.method, self.target, self.version = (first.split(b" ", 2) + [b"", b""])[:3]
        self.headers = [tuple(part.strip() for part in line.split(b":", 1)) for line in lines]
        self.path, _, self.query = self.target.decode("latin-1").partition("?")
        self.body = body

    @property
    def mode(self):
        """The first segment of the path: `/MODE/api/me/`."""
        return self.path.split("/", 2)[1] if self.path.startswith("/") else ""

    def header(self, wanted):
        """The value of the last header with this (lower-case) name, or None."""
        found = None
        for pair in self.headers:
            if pair[0].lower() == wanted and len(pair) == 2:
                found = pair[1]
        return found

    def token(self):
        """The bearer token, or None."""
        scheme, _, token = (self.header(b"authorization") or b"").partition(b" ")
        return token if scheme.lower() == b"bearer" and token else None


def user_of(token):
    """The id that `echo` and `gate` derive from a token."""
    return "user-" + hashlib.sha256(token).hexdigest()[:8]


class Exchange:
    """One request and the means to answer it, properly or not."""

    def __init__(self, connection, request, params=()):
        self.connection = connection
        self.request = request
        self.params = params

    @property
    def state(self):
        return self.connection.state

    def send(self, data):
        self.connection.transport.write(data)

    async def flood(self, data):
        """Sends with back-pressure: waits while the client does not read."""
        self.connection.transport.write(data)
        await asyncio.sleep(0)
        await self.connection.writable.wait()

    async def hang(self):
        """Never answers; ends when the client disconnects."""
        await asyncio.Event().wait()

    def close(self):
        """Sends FIN after all pending data."""
        self.connection.transport.close()

    def reset(self):
        """Sends RST, as the kernel does for a socket closed with zero linger (socket(7))."""
        sock = self.connection.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.transport.abort()


class Connection(asyncio.Protocol):
    """One client connection. `dispatch` returns None (answered) or a coroutine that still
    answers."""

    def __init__(self, state, dispatch):
        self.state = state
        self.dispatch = dispatch
        self.transport = None
        self.writable = asyncio.Event()
        self.writable.set()
        self.requests = 0
        self.number = state.number_connection()
        self._received = bytearray()
        self._task = None
        self._is_last = False

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, error):
        self.writable.set()
        if self._task:
            self._task.cancel()

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    def data_received(self, data):
        self._received += data
        self._serve()

    def _serve(self):
        while self._task is None and not self.transport.is_closing():
            request = self._next_request()
            if request is None:
                return
            self.requests += 1
            self._is_last = (request.header(b"connection") or b"").lower() == b"close"
            answering = self.dispatch(Exchange(self, request))
            if answering is not None:
                self._task = asyncio.ensure_future(answering)
                self._task.add_done_callback(self._answered)
            elif self._is_last:
                self.transport.close()

    def _answered(self, task):
        self._task = None
        if task.cancelled():
            return
        error = task.exception()
        if error is not None and not self.transport.is_closing():
            self.transport.abort()
            raise error
        if self._is_last:
            self.transport.close()
        self._serve()

    def _next_request(self):
        """The next complete request, or None."""
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            if len(self._received) > MAX_HEAD_BYTES:
                self.transport.abort()
            return None
        request = Request(bytes(self._received[:end]))
        length = int(request.header(b"content-length") or 0)
        if length > MAX_REQUEST_BODY_BYTES:
            self.transport.abort()
            return None
        if len(self._received) < end + 4 + length:
            return None
        request.body = bytes(self._received[end + 4 : end + 4 + length])
        del self._received[: end + 4 + length]
        return request
