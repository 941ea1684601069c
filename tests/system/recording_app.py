"""An application behind a proxy: records what it receives, byte by byte, and answers 200.

It interprets nothing: header names and values are what was on the wire, and a request that it cannot read is recorded as malformed.
"""

import json
import re
import socket
import threading
import urllib.parse
from typing import NamedTuple


class Received(NamedTuple):
    method: str
    target: str
    headers: tuple  # (name, value), in order, as spelled
    body: bytes
    trailers: tuple = ()  # after a body in chunks; not headers (RFC 9110, section 6.5.1)
    malformed: str = ""  # why it could not be read

    def values(self, name):
        """Values of the headers that an application could take for `name`: CGI, for one, maps every character but letters and digits to `_`."""
        return [value for spelled, value in self.headers if plain(spelled) == plain(name)]

    def path(self):
        """The path as the most liberal application reads it: decoded, with `\\` as `/`, without empty and dot segments."""
        segments = []
        path = re.sub(r"^[A-Za-z]+://[^/]*", "", self.target)  # the absolute form (RFC 9112, section 3.2.2)
        for segment in urllib.parse.unquote(path.partition("?")[0]).replace("\\", "/").split("/"):
            if segment == "..":
                segments = segments[:-1]
            elif segment not in ("", "."):
                segments.append(segment)
        return "/" + "/".join(segments)

    def identity(self):
        """Every header that an application could take for one of claimsd's."""
        return {spelled: value for spelled, value in self.headers if plain(spelled).startswith("x_claims_")}


def plain(name):
    return re.sub(r"[^a-z0-9]", "_", name.lower())


class Malformed(Exception):
    pass


class Connection:
    def __init__(self, connected):
        self._socket = connected
        self._buffer = b""

    def _more(self):
        piece = self._socket.recv(65536)
        if not piece:
            raise EOFError
        self._buffer += piece

    def line(self):
        while b"\r\n" not in self._buffer:
            self._more()
        line, self._buffer = self._buffer.split(b"\r\n", 1)
        return line.decode("latin-1")

    def take(self, size):
        while len(self._buffer) < size:
            self._more()
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def request(self):
        """The next request; None at the end of the stream."""
        try:
            first = self.line()
        except (EOFError, ConnectionError):
            return None
        words = first.split(" ")
        if len(words) != 3:
            return Received("", first, (), b"", malformed="request line")
        headers = []
        try:
            headers += self._fields()
            body, trailers = self._body(headers)
            return Received(words[0], words[1], tuple(headers), body, tuple(trailers))
        except Malformed as why:
            return Received(words[0], words[1], tuple(headers), b"", malformed=str(why))
        except (EOFError, ConnectionError):
            # The body is incomplete, but an application that streams would have the headers already.
            return Received(words[0], words[1], tuple(headers), b"") if headers else None

    def _fields(self):
        """Header or trailer lines, up to the empty line."""
        fields = []
        while line := self.line():
            name, colon, value = line.partition(":")
            if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                raise Malformed(f"header {line!r}")
            fields.append((name, value.strip(" \t")))
        return fields

    def _body(self, headers):
        lengths = [value for name, value in headers if name.lower() == "content-length"]
        codings = [value for name, value in headers if name.lower() == "transfer-encoding"]
        if codings and lengths or len(codings) > 1 or len(lengths) > 1:
            raise Malformed("two lengths")
        if codings:
            return b"".join(iter(self._chunk, b"")), self._fields()
        if lengths and not lengths[0].isdigit():
            raise Malformed("length")
        return (self.take(int(lengths[0])) if lengths else b""), ()

    def _chunk(self):
        size = self.line()
        if not re.fullmatch("[0-9A-Fa-f]+", size):
            raise Malformed(f"chunk size {size!r}")
        data = self.take(int(size, 16))
        if data and self.line():
            raise Malformed("chunk")
        return data


class RecordingApp:
    """Serves at 127.0.0.1:`port` while it exists."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        self.received = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connected,), daemon=True).start()

    def _serve(self, connected):
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(connected)
        with connected:
            while request := connection.request():
                self.received.append(request)
                if request.malformed:
                    return
                body = json.dumps(request.identity()).encode()
                try:
                    connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + (b"" if request.method == "HEAD" else body))
                except OSError:
                    return

    def take(self):
        """What was received since the last call."""
        taken, self.received = self.received, []
        return taken

    def close(self):
        self._listener.close()
