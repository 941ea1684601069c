"""Asking claimsd from an asyncio event loop: one stream per loop, no blocking call."""

import asyncio
import os
import threading
from typing import Any, Callable, Dict, Optional

from auth_integration import _claimsd
from auth_integration.reasons import Answer, answer_of
from auth_integration.transports.base import Meta, Outcome
from auth_integration.transports.stream_asker import StreamAsker, outcome_of


def _deliver(waiter: "asyncio.Future[Any]", answer: Any) -> None:
    if not waiter.done():
        waiter.set_result(answer)


class LoopAsker:
    """Belongs to one loop, and so to one thread. The stream's descriptor is readable for answers and for deadlines that have passed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, handle: _claimsd.Handle) -> None:
        self.loop = loop
        self.asker = StreamAsker(handle, _deliver)
        loop.add_reader(self.asker.stream.fileno(), self.asker.receive)

    @staticmethod
    def of_running_loop(kept: threading.local, handle: _claimsd.Handle) -> "LoopAsker":
        """The asker of this thread's running loop. That of another loop, process or handle is replaced."""
        loop = asyncio.get_running_loop()
        found: Optional[LoopAsker] = getattr(kept, "asker", None)
        if found is None or found.loop is not loop or found.asker.pid != os.getpid() or found.asker.handle is not handle:
            if found is not None:
                found.close()
            found = kept.asker = LoopAsker(loop, handle)
        return found

    async def ask(self, token: str, meta: Meta, route: Optional[str], timeout_ms: int, max_age_ms: int) -> Outcome:
        delivered = await self._answer_to(lambda: self.asker.query(token, meta, route, timeout_ms, max_age_ms))
        return outcome_of(delivered, answer_of("internal"))

    async def report(self, status: int, arguments: Dict[str, Any]) -> Optional[Answer]:
        """As Handle.report()."""
        why_not: Optional[Answer] = await self._answer_to(lambda: self.asker.report(status, arguments))
        return why_not

    async def _answer_to(self, send: Callable[[], int]) -> Any:
        try:
            tag = send()
        except BlockingIOError:
            return answer_of("overloaded")
        waiter: "asyncio.Future[Any]" = self.loop.create_future()
        self.asker.waiting[tag] = waiter
        try:
            self.asker.receive()  # an answer from this process' own table is there now
            return await waiter
        finally:
            self.asker.waiting.pop(tag, None)
            if waiter.cancelled():
                self.asker.cancel(tag)

    def close(self) -> None:
        if self.asker.pid == os.getpid() and not self.loop.is_closed():
            self.loop.remove_reader(self.asker.stream.fileno())
        self.asker.stream.close()
