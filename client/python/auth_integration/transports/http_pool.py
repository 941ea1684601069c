"""GET requests to one Auth API over kept connections, each with one deadline for the whole exchange. Uses http.client alone.

It never follows a redirect and never uses a proxy or .netrc, because each of them would hand the token to another host. It decodes no content encoding
and reads at most MAX_BODY bytes of a body. The deadline cannot interrupt the system's lookup of the host's name.
"""

import http.client
import io
import os
import socket
import ssl
import threading
import time
import urllib.parse
from typing import Any, List, NamedTuple, Optional

MAX_BODY = 256 * 1024


class Reply(NamedTuple):
    status: int
    body: bytes
    cache_control: str
    age: str
    retry_after: str
    content_type: str


class FetchFailed(Exception):
    """No reply; `reason` is a word of auth_integration.reasons."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _DeadlineReader(io.RawIOBase):
    """Reads a socket until the deadline, however slowly data arrives."""

    def __init__(self, connected: Any, deadline: float) -> None:
        self._socket = connected
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.settimeout(_remaining(self._deadline))
        return int(self._socket.recv_into(buffer))


class _DeadlineSocket:
    """The part of a socket's interface that http.client's response uses."""

    def __init__(self, connected: Any, deadline: float) -> None:
        self._reader = io.BufferedReader(_DeadlineReader(connected, deadline))

    def makefile(self, _mode: str) -> Any:
        return self._reader


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise socket.timeout("the deadline has passed")
    return remaining


def _final_response(connected: Any) -> http.client.HTTPResponse:
    """The status and headers after all interim responses (RFC 9110 section 15.2). http.client skips only 100."""
    while True:
        response = http.client.HTTPResponse(connected, method="GET")
        response.begin()
        if not 102 <= response.status <= 199:
            break
        response.fp = None  # type: ignore[assignment]  # the final response follows there
    # http.client takes an invalid length as "until the end".
    lengths = set(response.headers.get_all("Content-Length", []))
    if len(lengths) > 1 or not all(length.isascii() and length.isdigit() for length in lengths):
        raise FetchFailed("upstream_protocol")
    return response


class HttpPool:
    """Any thread. At most `size` connections; further threads wait until their deadline. After fork() the child starts with none."""

    def __init__(self, base_url: str, path: str, size: int, ca_file: Optional[str]) -> None:
        parts = urllib.parse.urlsplit(base_url)
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._authority = parts.netloc
        self._target = parts.path.rstrip("/") + path
        self._tls: Optional[ssl.SSLContext] = ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else None
        self._size = size
        self._reset()

    def _reset(self) -> None:
        self._pid = os.getpid()
        self._idle: List[Any] = []
        self._free = threading.BoundedSemaphore(self._size)

    def get(self, token: str, deadline: float) -> Reply:
        if self._pid != os.getpid():
            self._reset()  # the parent's sockets, on which nothing may be sent
        free = self._free
        if not free.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise FetchFailed("overloaded")
        try:
            return self._get(token, deadline)
        finally:
            free.release()

    def _get(self, token: str, deadline: float) -> Reply:
        while True:
            try:
                kept = self._idle.pop()
            except IndexError:
                kept = None
            try:
                return self._exchange(kept or self._connect(deadline), token, deadline)
            except (ConnectionError, http.client.RemoteDisconnected) as error:
                # A server may close a kept connection at any time: not a failure.
                if kept is None:
                    raise FetchFailed("upstream_protocol") from error
            except socket.timeout as error:
                raise FetchFailed("upstream_timeout") from error
            except (http.client.HTTPException, OSError, ValueError) as error:
                raise FetchFailed("upstream_protocol") from error

    def _connect(self, deadline: float) -> Any:
        try:
            connected: Any = socket.create_connection((self._host, self._port), _remaining(deadline))
        except socket.timeout as error:
            raise FetchFailed("upstream_timeout") from error
        except (OSError, UnicodeError) as error:
            raise FetchFailed("upstream_connect") from error
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:
                return connected
            connected.settimeout(_remaining(deadline))
            return self._tls.wrap_socket(connected, server_hostname=self._host)
        except socket.timeout as error:
            connected.close()
            raise FetchFailed("upstream_timeout") from error
        except (OSError, ValueError) as error:
            connected.close()
            raise FetchFailed("upstream_tls") from error

    def _exchange(self, connected: Any, token: str, deadline: float) -> Reply:
        keep = False
        try:
            connected.settimeout(_remaining(deadline))
            connected.sendall(
                f"GET {self._target} HTTP/1.1\r\nHost: {self._authority}\r\nAuthorization: Bearer {token}\r\n"
                "Accept: application/json\r\nAccept-Encoding: identity\r\nUser-Agent: auth_integration\r\n\r\n".encode("ascii"))
            response = _final_response(_DeadlineSocket(connected, deadline))
            body = response.read(MAX_BODY + 1)
            if len(body) > MAX_BODY:
                raise FetchFailed("upstream_too_large")
            if response.length not in (None, 0):
                raise FetchFailed("upstream_protocol")  # the body ended early
            keep = response.isclosed() and not response.will_close
            headers = response.headers
            return Reply(response.status, body, ",".join(headers.get_all("Cache-Control", [])), headers.get("Age", ""),
                         headers.get("Retry-After", ""), headers.get("Content-Type", ""))
        finally:
            if keep:
                self._idle.append(connected)
            else:
                connected.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()
