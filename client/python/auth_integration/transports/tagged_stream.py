"""A stream of queries and reports, matched to their answers by tags. The event loop and the gevent hub share it."""

import os
from typing import Any, Callable, Dict, Optional

from auth_integration import _claimsd
from auth_integration.transports.base import Meta, Outcome

Deliver = Callable[[Any, Any], None]  # passes an answer to its waiter


class TaggedStream:
    """Belongs to one thread and one process."""

    def __init__(self, handle: _claimsd.Handle, deliver: Deliver) -> None:
        self.pid = os.getpid()
        self.handle = handle
        self.stream = handle.stream()
        self.waiting: Dict[int, Any] = {}
        self._deliver = deliver
        self._next_tag = 1

    def query(self, token: str, meta: Meta, route: Optional[str], timeout_ms: int, max_age_ms: int) -> int:
        """Sends a query; returns its tag. BlockingIOError if too many are open."""
        tag = self._new_tag()
        self.stream.send(tag, token, meta, route, timeout_ms, max_age_ms)
        return tag

    def report(self, status: int, arguments: Dict[str, Any]) -> int:
        """Sends a report; returns its tag. BlockingIOError if too many are open."""
        tag = self._new_tag()
        self.stream.report(tag, status, **arguments)
        return tag

    def cancel(self, tag: int) -> None:
        """Drops a query whose caller has gone, so that it no longer counts as open. A report is sent all the same."""
        try:
            self.stream.cancel(tag)
        except ValueError:
            pass  # the stream is closed, or belongs to the parent process

    def _new_tag(self) -> int:
        tag, self._next_tag = self._next_tag, self._next_tag + 1
        return tag

    def receive(self) -> None:
        """Delivers every answer that has arrived. An answer is an Identity, an Answer, or None for a report that is recorded."""
        while True:
            received = self.stream.receive()
            if received is None:
                return
            tag, (identity, answer) = received
            waiter = self.waiting.get(tag)  # absent if it was canceled
            if waiter is not None:
                self._deliver(waiter, answer if identity is None else identity)


def outcome_of(delivered: Any, otherwise: Outcome) -> Outcome:
    """A query's outcome; None is delivered only for reports."""
    outcome: Outcome = otherwise if delivered is None else delivered
    return outcome
