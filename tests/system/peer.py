"""A client in plain Python over tests/support/wire.py. It can follow the protocol or violate it."""

import pathlib
import re
import socket
import time
from typing import NamedTuple

import wire

PATIENCE = 30
AT_ONCE = 50  # unanswered queries
ANY_AGE = 0xFFFFFFFF
VERDICTS = {1: "valid", 2: "invalid", 3: "unavailable"}
SOURCES = {0: "none", 3: "cache", 4: "upstream", 5: "stale"}
_VOCABULARY = pathlib.Path(__file__).resolve().parents[2] / "proto" / "vocabulary.h"
REASONS = {int(code): name for code, name in re.findall(r'R\(k\w+,\s*(\d+),\s*"(\w+)"', _VOCABULARY.read_text())}


class Answer(NamedTuple):
    verdict: str
    reason: str
    source: str
    flags: int
    age_ms: int
    ttl_ms: int
    retry_after_ms: int
    id: str = ""
    email: str = ""
    roles: tuple = ()
    raw: bytes = b""


def answer_of(fields):
    claims = ()
    if fields["claims"]:
        user, email, roles, raw = wire.decode_claims(fields["claims"])
        claims = (user.decode(), email.decode(), tuple(role.decode() for role in roles), raw)
    return Answer(VERDICTS[fields["verdict"]], REASONS[fields["reason"]], SOURCES[fields["source"]],
                  fields["flags"], fields["age_ms"], fields["ttl_ms"], fields["retry_after_ms"], *claims)


class Peer:
    """One connection. `upstream`: the URL it expects. With hello=False, Hello is not sent."""

    def __init__(self, path, upstream="", hello=True):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        self._received = b""
        self._next_id = 1
        if hello:
            self.say_hello(upstream)
            welcome = self.receive()
            assert welcome and welcome[0] == "Welcome", welcome

    def say_hello(self, upstream="", version=(wire.VERSION, wire.VERSION)):
        return self.send("Hello", version_min=version[0], version_max=version[1], client_name=b"peer",
                         upstream_url=upstream.encode())

    def send(self, name, **fields):
        """Sends a message; returns its request id."""
        request, self._next_id = self._next_id, self._next_id + 1
        self.socket.sendall(wire.encode(name, request, fields))
        return request

    def query(self, token, timeout_ms=0, max_age_ms=ANY_AGE, trace_id=""):
        token = token if isinstance(token, bytes) else token.encode()
        return self.send("Query", token=token, timeout_ms=timeout_ms, max_age_ms=max_age_ms,
                         trace_id=trace_id.encode())

    def receive(self):
        """The next message, (name, request id, fields); None at the end of the stream."""
        while True:
            if len(self._received) >= wire.HEADER.size:
                size = wire.HEADER.size + wire.HEADER.unpack_from(self._received)[0]
                if len(self._received) >= size:
                    frame, self._received = self._received[:size], self._received[size:]
                    return wire.decode(frame)
            try:
                data = self.socket.recv(262144)
            except ConnectionResetError:
                data = b""
            if not data:
                return None
            self._received += data

    def answer(self):
        """The next message, which must be an Answer: (request id, Answer)."""
        message = self.receive()
        assert message and message[0] == "Answer", message
        return message[1], answer_of(message[2])

    def ask(self, token, **options):
        request = self.query(token, **options)
        answered, answer = self.answer()
        assert answered == request
        return answer

    def ask_all(self, tokens, **options):
        """Pipelines the queries; returns the answers in the order of the tokens.

        At most AT_ONCE are open: a client that only writes until neither side can continue is
        disconnected as a slow reader.
        """
        requests, answers = [], {}
        for token in tokens:
            if len(requests) - len(answers) == AT_ONCE:
                answers.update([self.answer()])
            requests.append(self.query(token, **options))
        while len(answers) < len(requests):
            answers.update([self.answer()])
        return [answers[request] for request in requests]

    def failure(self):
        """The next message, which must be a Failure: (request id, code)."""
        message = self.receive()
        assert message and message[0] == "Failure", message
        return message[1], message[2]["code"]

    def is_closed(self):
        """Waits until the daemon hangs up; False if it sends something instead."""
        return self.receive() is None

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def until(holds, what, patience=PATIENCE):
    """Polls `holds()` until it is true, for changes that nothing signals."""
    end = time.monotonic() + patience
    while True:
        found = holds()
        if found:
            return found
        assert time.monotonic() < end, f"not within {patience} s: {what}"
        time.sleep(0.005)
