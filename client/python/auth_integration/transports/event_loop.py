"""Queries claimsd from an asyncio event loop: one stream per loop, no blocking call."""

import asyncio
import os
import threading
from typing import Any, Callable, Dict, Optional

from auth_integration import _claimsd
from auth_integration.reasons import Answer, answer_of
from auth_integration.transports.base import Meta, Outcome
from auth_integration.transports.tagged_stream import TaggedStream, outcome_of


def _deliver(waiter: "asyncio.Future[Any]", answer: Any) -> None:
    if not waiter.done():
        waiter.set_result(answer)


class LoopStream:
    """Belongs to one loop, and so to one thread. The stream's descriptor is readable for answers and for deadlines that have passed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, handle: _claimsd.Handle) -> None:
        self.loop = loop
        self.tagged = TaggedStream(handle, _deliver)
        loop.add_reader(self.tagged.stream.fileno(), self.tagged.receive)

    @staticmethod
    def of_running_loop(kept: threading.local, handle: _claimsd.Handle) -> "LoopStream":
        """The stream of this thread's running loop. A stream of another loop, process or handle is replaced."""
        loop = asyncio.get_running_loop()
        found: Optional[LoopStream] = getattr(kept, "stream", None)
        if found is None or found.loop is not loop or found.tagged.pid != os.getpid() or found.tagged.handle is not handle:
            if found is not None:
                found.close()
            found = kept.stream = LoopStream(loop, handle)
        return found

    async def query(self, token: str, meta: Meta, route: Optional[str], timeout_ms: int, max_age_ms: int) -> Outcome:
        delivered = await self._answer_to(lambda: self.tagged.query(token, meta, route, timeout_ms, max_age_ms))
        return outcome_of(delivered, answer_of("internal"))

    async def report(self, status: int, arguments: Dict[str, Any]) -> Optional[Answer]:
        """Like Handle.report()."""
        why_not: Optional[Answer] = await self._answer_to(lambda: self.tagged.report(status, arguments))
        return why_not

    async def _answer_to(self, send: Callable[[], int]) -> Any:
        try:
            tag = send()
        except BlockingIOError:
            return answer_of("overloaded")
        waiter: "asyncio.Future[Any]" = self.loop.create_future()
        self.tagged.waiting[tag] = waiter
        try:
            self.tagged.receive()  # an answer from this process' own table is there now
            return await waiter
        finally:
            self.tagged.waiting.pop(tag, None)
            if waiter.cancelled():
                self.tagged.cancel(tag)

    def close(self) -> None:
        if self.tagged.pid == os.getpid() and not self.loop.is_closed():
            self.loop.remove_reader(self.tagged.stream.fileno())
        self.tagged.stream.close()
