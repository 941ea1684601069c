"""What the server saw and what tests told it to do: records, gates, scripts.

Values of headers are never kept, but for a hash of Authorization: a test can prove which token came
without the token being here.
"""

import asyncio
import hashlib


EARLY = 200  # requests whose company is kept


class Record:
    """What one mode saw."""

    def __init__(self):
        self.count = 0
        self.in_flight = 0
        self.concurrent_max = 0
        self.connections = 0
        self.early = []  # how many were in flight when the first, second, ... had just arrived
        self.last = None

    def as_json(self):
        return vars(self)


class State:
    """One per server; shared by all its listeners.

    `run_mode(name, exchange)` answers in that mode; `trap_port` is known once the trap listens,
    `door` is there once it is open, `rotating` with TLS.
    """

    def __init__(self, trap, run_mode):
        self.trap = trap
        self.trap_port = None
        self.door = None
        self.rotating = None
        self.run_mode = run_mode
        self.records = {}
        self.scripts = {}
        self._gates = {}
        self._open_all = False
        self._changed = asyncio.Event()

    def begin(self, exchange):
        """Notes that a request of its mode arrived. Every begin has one end()."""
        request = exchange.request
        record = self.records.setdefault(request.mode, Record())
        record.count += 1
        record.in_flight += 1
        record.concurrent_max = max(record.concurrent_max, record.in_flight)
        if len(record.early) < EARLY:
            record.early.append(record.in_flight)
        record.connections += exchange.connection.requests == 1
        authorization = request.header(b"authorization")
        record.last = {
            "method": request.method.decode("latin-1"),
            "path": request.path,
            "headers": [pair[0].decode("latin-1") for pair in request.headers],
            "authorization_sha256": authorization and hashlib.sha256(authorization).hexdigest(),
        }
        self._announce()
        return record

    def end(self, record):
        record.in_flight -= 1
        self._announce()

    def record(self, mode):
        return self.records.get(mode, Record())

    async def until(self, holds, timeout):
        """Waits until `holds()`; False when `timeout` seconds went by before."""

        async def wait():
            while not holds():
                await self._changed.wait()

        try:
            await asyncio.wait_for(wait(), timeout)
        except asyncio.TimeoutError:
            return False
        return True

    def _announce(self):
        self._changed.set()
        self._changed = asyncio.Event()

    def gate(self, mode):
        """The event that requests of that mode wait for."""
        event = self._gates.get(mode)
        if event is None:
            event = self._gates[mode] = asyncio.Event()
            if self._open_all:
                event.set()
        return event

    def open_gates(self, mode=None):
        """Opens one gate, or all of them and those to come."""
        if mode is not None:
            self.gate(mode).set()
            return
        self._open_all = True
        for event in self._gates.values():
            event.set()

    def close_gates(self):
        """Closes all gates for those who come from now on; who waits keeps waiting."""
        self._open_all = False
        for event in self._gates.values():
            event.clear()

    def next_step(self, name):
        """The next answer of that script; the last one again and again. None: no such script."""
        steps = self.scripts.get(name)
        if not steps:
            return None
        return steps.pop(0) if len(steps) > 1 else steps[0]

    def reset(self):
        """Forgets all but what is under way: a request of before still ends where it began."""
        self.records = {}
        self.scripts = {}
        self.close_gates()
        self.trap.reset()
