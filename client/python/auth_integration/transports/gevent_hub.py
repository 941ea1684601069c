"""Asking claimsd under gevent: one stream a hub; the greenlet that asks waits, the others run."""

import os
from typing import Any, Callable, Dict, Optional, Union

import gevent
from gevent.event import AsyncResult
from gevent.socket import wait_read

from auth_integration import _claimsd
from auth_integration.reasons import Answer, answer_of
from auth_integration.transports.base import Identity


Outcome = Union[Identity, Answer, None]  # None: a report that is recorded


class HubAsker:
    """Belongs to one hub, and so to one thread. A greenlet of its own reads while anybody waits."""

    def __init__(self, handle: _claimsd.Handle) -> None:
        self.pid = os.getpid()
        self._stream = handle.stream()
        self._waiting: Dict[int, Any] = {}
        self._next_tag = 1
        self._reader: Optional[Any] = None

    def ask(self, token: str, meta: Optional[Dict[str, Any]], route: Optional[str], timeout_ms: int) -> Union[Identity, Answer]:
        found = self._answer_to(lambda tag: self._stream.send(tag, token, meta, route, timeout_ms))
        return answer_of("internal") if found is None else found

    def report(self, status: int, arguments: Dict[str, Any]) -> Optional[Answer]:
        """As Handle.report()."""
        said: Any = self._answer_to(lambda tag: self._stream.report(tag, status, **arguments))
        return said

    def _answer_to(self, send: Callable[[int], None]) -> Outcome:
        tag, self._next_tag = self._next_tag, self._next_tag + 1
        try:
            send(tag)
        except BlockingIOError:
            return answer_of("overloaded")
        result = self._waiting[tag] = AsyncResult()
        try:
            self._receive()  # what was known already is there now
            if not result.ready() and (self._reader is None or self._reader.dead):
                self._reader = gevent.spawn(self._read)
            found: Outcome = result.get()
            return found
        finally:
            self._waiting.pop(tag, None)

    def _read(self) -> None:
        while self._waiting:
            wait_read(self._stream.fileno())
            self._receive()

    def _receive(self) -> None:
        while True:
            received = self._stream.receive()
            if received is None:
                return
            tag, (identity, answer) = received
            waiter = self._waiting.get(tag)  # absent: its greenlet was killed
            if waiter is not None:
                waiter.set(answer if identity is None else identity)
