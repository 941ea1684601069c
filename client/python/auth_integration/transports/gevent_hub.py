"""Queries claimsd under gevent: one stream per hub. Only the greenlet of a query waits for its answer."""

from typing import Any, Callable, Dict, Optional

import gevent
from gevent.event import AsyncResult
from gevent.socket import wait_read

from auth_integration import _claimsd
from auth_integration.reasons import Answer, answer_of
from auth_integration.transports.base import Meta, Outcome
from auth_integration.transports.tagged_stream import TaggedStream, outcome_of


class HubStream:
    """Belongs to one hub, and so to one thread. While greenlets wait, another greenlet reads."""

    def __init__(self, handle: _claimsd.Handle) -> None:
        self.tagged = TaggedStream(handle, lambda waiter, answer: waiter.set(answer))
        self._reader: Optional[Any] = None

    def query(self, token: str, meta: Meta, route: Optional[str], timeout_ms: int, max_age_ms: int) -> Outcome:
        delivered = self._answer_to(lambda: self.tagged.query(token, meta, route, timeout_ms, max_age_ms))
        return outcome_of(delivered, answer_of("internal"))

    def report(self, status: int, arguments: Dict[str, Any]) -> Optional[Answer]:
        """Like Handle.report()."""
        why_not: Optional[Answer] = self._answer_to(lambda: self.tagged.report(status, arguments))
        return why_not

    def _answer_to(self, send: Callable[[], int]) -> Any:
        try:
            tag = send()
        except BlockingIOError:
            return answer_of("overloaded")
        waiter = self.tagged.waiting[tag] = AsyncResult()
        try:
            self.tagged.receive()  # an answer from this process' own table is there now
            if not waiter.ready() and (self._reader is None or self._reader.dead):
                self._reader = gevent.spawn(self._read)
            return waiter.get()
        finally:
            self.tagged.waiting.pop(tag, None)
            if not waiter.ready():  # the greenlet was killed
                self.tagged.cancel(tag)

    def _read(self) -> None:
        while self.tagged.waiting:
            wait_read(self.tagged.stream.fileno())
            self.tagged.receive()
