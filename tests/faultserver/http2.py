"""https_http2: a server that speaks only HTTP/2 (RFC 9113) and always answers 200 with the same claims.

It reads frames, not headers, so it needs no HPACK decoder. POST /_http2 decides what connections
made until then do from then on: `silent` answers nothing more, `goaway` answers the first of the
streams that arrive together and closes with a GOAWAY that names the others as unprocessed.
"""

import asyncio
import os
import ssl
import struct

from mode import CLAIMS

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, GOAWAY = 0, 1, 4, 6, 7
END_STREAM, END_HEADERS, ACK = 1, 4, 1
STATUS_200 = b"\x88"  # entry 8 of the static table (RFC 7541 appendix A)
GATHER_SECONDS = 0.05


def frame(kind, flags, stream, payload=b""):
    head = struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream)
    return head + payload


def http2_context(directory):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    path = os.path.join(directory, "https")
    context.load_cert_chain(path + ".pem", path + ".key")
    context.set_alpn_protocols(["h2"])
    return context


class Http2Connection(asyncio.Protocol):
    def __init__(self, state):
        self._state = state
        self.number = state.number_connection()
        self._received = bytearray()
        self._has_preface = False
        self._gathered = []

    def connection_made(self, transport):
        self._transport = transport
        self._state.http2["connections"] += 1
        transport.write(frame(SETTINGS, 0, 0))

    def data_received(self, data):
        self._received += data
        if not self._has_preface:
            if len(self._received) < len(PREFACE):
                return
            del self._received[: len(PREFACE)]
            self._has_preface = True
        while len(self._received) >= 9:
            size = int.from_bytes(self._received[:3], "big")
            if len(self._received) < 9 + size:
                return
            kind, flags = self._received[3], self._received[4]
            stream = int.from_bytes(self._received[5:9], "big") & 0x7FFFFFFF
            payload = bytes(self._received[9 : 9 + size])
            del self._received[: 9 + size]
            self._take(kind, flags, stream, payload)

    def _take(self, kind, flags, stream, payload):
        behavior = self._state.http2["old"] if self._state.is_old(self) else "answer"
        if behavior == "silent":
            return
        if kind == SETTINGS and not flags & ACK:
            self._transport.write(frame(SETTINGS, ACK, 0))
        elif kind == PING and not flags & ACK:
            self._transport.write(frame(PING, ACK, 0, payload))
        elif kind == HEADERS:
            self._state.http2["requests"] += 1
            if behavior == "goaway":
                self._gather(stream)
            else:
                self._answer(stream)

    def _answer(self, stream):
        self._transport.write(
            frame(HEADERS, END_HEADERS, stream, STATUS_200) + frame(DATA, END_STREAM, stream, CLAIMS))

    def _gather(self, stream):
        self._gathered.append(stream)
        if len(self._gathered) == 1:
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._go_away)

    def _go_away(self):
        last = self._gathered[0]
        self._answer(last)
        self._transport.write(frame(GOAWAY, 0, 0, struct.pack(">II", last, 0)))
        self._transport.close()
