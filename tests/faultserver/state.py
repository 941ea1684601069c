"""What the server has seen, and its settings by tests: records, gates, scripts.

Header values are not kept, except for a hash of Authorization: a test can prove which token came
without the server storing it.
"""

import asyncio
import hashlib


EARLY = 200  # requests whose concurrency is recorded


class Record:
    """What one mode has seen."""

    def __init__(self):
        self.count = 0
        self.in_flight = 0
        self.concurrent_max = 0
        self.connections = 0
        self.early = []  # requests in flight when the first, second, ... arrived
        self.last = None

    def as_json(self):
        return vars(self)


class State:
    """One per server; shared by all its listeners.

    `run_mode(name, exchange)` answers in that mode. `trap_port` is set once the trap listens,
    `doors` once they are open, `rotating` with TLS.
    """

    def __init__(self, trap, run_mode):
        self.trap = trap
        self.trap_port = None
        self.doors = []
        self.rotating = None
        self.run_mode = run_mode
        self.records = {}
        self.scripts = {}
        self.http2 = {"requests": 0, "connections": 0, "old": "answer"}
        self._connections = 0
        self._first_new = 0
        self._gates = {}
        self._open_all = False
        self._changed = asyncio.Event()

    def number_connection(self):
        self._connections += 1
        return self._connections

    def deploy(self):
        """A new instance takes over: connections made until now lead to the old one."""
        self._first_new = self._connections + 1

    def is_old(self, connection):
        return connection.number < self._first_new

    def begin(self, exchange):
        """Records the arrival of a request for its mode. Each begin() has one end()."""
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
        """Waits until `holds()`; False after `timeout` seconds."""

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
        """Opens one gate, or all existing and future ones."""
        if mode is not None:
            self.gate(mode).set()
            return
        self._open_all = True
        for event in self._gates.values():
            event.set()

    def close_gates(self):
        """Closes all gates for new requests; waiting ones keep waiting."""
        self._open_all = False
        for event in self._gates.values():
            event.clear()

    def next_step(self, name):
        """The next answer of that script, with the last one repeated. None: no such script."""
        steps = self.scripts.get(name)
        if not steps:
            return None
        return steps.pop(0) if len(steps) > 1 else steps[0]

    def reset(self):
        """Clears everything except requests in flight, which still end in their old record."""
        self.records = {}
        self.scripts = {}
        self._first_new = 0
        self.http2.update(requests=0, connections=0, old="answer")
        self.close_gates()
        self.trap.reset()
