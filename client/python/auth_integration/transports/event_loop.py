"""Asking claimsd from an asyncio event loop: one stream a loop, and never a blocking call."""

import asyncio
import os
import threading
from typing import Any, Callable, Dict, Optional, Union

from auth_integration import _claimsd
from auth_integration.reasons import Answer, answer_of
from auth_integration.transports.base import Identity


Outcome = Union[Identity, Answer, None]  # None: a report that is recorded


class LoopAsker:
    """Belongs to one loop, and so to one thread. The stream is read whenever its descriptor is readable; libclaimsd makes it so for
    expired deadlines, too."""

    def __init__(self, loop: asyncio.AbstractEventLoop, handle: _claimsd.Handle) -> None:
        self.loop = loop
        self.pid = os.getpid()
        self._handle = handle
        self._stream = handle.stream()
        self._waiting: Dict[int, "asyncio.Future[Outcome]"] = {}
        self._next_tag = 1
        loop.add_reader(self._stream.fileno(), self._receive)

    @staticmethod
    def of_running_loop(kept: threading.local, handle: _claimsd.Handle) -> "LoopAsker":
        """The asker of this thread's running loop; that of a loop which ended, or of another process, is replaced."""
        loop = asyncio.get_running_loop()
        asker: Optional[LoopAsker] = getattr(kept, "asker", None)
        if asker is None or asker.loop is not loop or asker.pid != os.getpid() or asker._handle is not handle:
            if asker is not None:
                asker.close()
            asker = kept.asker = LoopAsker(loop, handle)
        return asker

    async def ask(self, token: str, meta: Optional[Dict[str, Any]], route: Optional[str], timeout_ms: int) -> Union[Identity, Answer]:
        found = await self._answer_to(lambda tag: self._stream.send(tag, token, meta, route, timeout_ms))
        return answer_of("internal") if found is None else found

    async def report(self, status: int, arguments: Dict[str, Any]) -> Optional[Answer]:
        """As Handle.report()."""
        said: Any = await self._answer_to(lambda tag: self._stream.report(tag, status, **arguments))
        return said

    async def _answer_to(self, send: Callable[[int], None]) -> Outcome:
        tag, self._next_tag = self._next_tag, self._next_tag + 1
        try:
            send(tag)
        except BlockingIOError:
            return answer_of("overloaded")
        answer: "asyncio.Future[Outcome]" = self.loop.create_future()
        self._waiting[tag] = answer
        try:
            self._receive()  # what was known already is there now
            return await answer
        finally:
            self._waiting.pop(tag, None)

    def _receive(self) -> None:
        while True:
            received = self._stream.receive()
            if received is None:
                return
            tag, (identity, answer) = received
            waiter = self._waiting.get(tag)  # absent: it was cancelled
            if waiter is not None and not waiter.done():
                waiter.set_result(answer if identity is None else identity)

    def close(self) -> None:
        if self.pid == os.getpid() and not self.loop.is_closed():
            self.loop.remove_reader(self._stream.fileno())
        self._stream.close()
