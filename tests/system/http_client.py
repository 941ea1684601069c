"""An HTTP client that sends bytes as they are given, and reads whole responses."""

from typing import NamedTuple


class Response(NamedTuple):
    status: int
    headers: tuple  # (name in lower case, value)
    body: bytes

    def header(self, name):
        return next((value for key, value in self.headers if key == name.lower()), None)


class RawClient:
    """Over a connected socket, which it owns."""

    def __init__(self, connected):
        self.socket = connected
        self._buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, target, token=None, method="GET", headers=(), body=b""):
        """Sends a request; returns its response. `headers`: (name, value), sent as they are."""
        lines = [f"{method} {target} HTTP/1.1", "Host: site.example"]
        if token is not None:
            lines.append(f"Authorization: Bearer {token}")
        lines += [f"{name}: {value}" for name, value in headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        return self.response(method)

    def _more(self):
        piece = self.socket.recv(65536)
        self._buffer += piece
        return bool(piece)

    def response(self, method="GET"):
        """The next response; None if the connection ends first."""
        try:
            while b"\r\n\r\n" not in self._buffer:
                if not self._more():
                    return None
            head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
            first, *lines = head.decode("latin-1").split("\r\n")
            status = int(first.split(" ")[1])
            headers = tuple((name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
            if status < 200:
                return self.response(method)
            return Response(status, headers, self._body(dict(headers), method, status))
        except ConnectionError:
            return None

    def _body(self, headers, method, status):
        if method == "HEAD" or status in (204, 304):
            return b""
        if headers.get("transfer-encoding") == "chunked":
            return b"".join(iter(self._chunk, b""))
        if "content-length" not in headers:
            while self._more():
                pass
            return self._take(len(self._buffer))
        return self._take(int(headers["content-length"]))

    def _chunk(self):
        while b"\r\n" not in self._buffer:
            if not self._more():
                return b""
        size, self._buffer = self._buffer.split(b"\r\n", 1)
        data = self._take(int(size, 16))
        self._take(2)
        return data

    def _take(self, size):
        while len(self._buffer) < size and self._more():
            pass
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
