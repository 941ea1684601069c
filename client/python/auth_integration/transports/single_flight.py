"""One request for all threads that look up the same token at the same time."""

import threading
import time
from typing import Any, Callable, Dict, Optional

from auth_integration.reasons import answer_of

MAX_WAITERS = 256  # for one request


class Flight:
    """A request in flight, or the next one after it."""

    def __init__(self) -> None:
        self.completed = threading.Event()
        self.result: Any = answer_of("internal")
        self.waiters = 0
        self.started_at: Optional[float] = None  # monotonic; None: not yet
        self.successor: Optional["Flight"] = None

    def satisfies(self, max_age: Optional[float]) -> bool:
        return max_age is None or self.started_at is None or self.started_at >= time.monotonic() - max_age


class SingleFlight:
    """Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.flights: Dict[str, Flight] = {}

    def do(self, key: str, deadline: float, max_age: Optional[float], fetch: Callable[[], Any]) -> Any:
        """The result of fetch(), called by this thread or by another one. It began at most `max_age` seconds before this call: if the request in
        flight is older, all who need a newer one share the next."""
        with self._lock:
            current, predecessor = self.flights.get(key), None
            if current is not None and not current.satisfies(max_age):
                predecessor, current = current, current.successor
            if current is not None:
                if current.waiters >= MAX_WAITERS:
                    return answer_of("overloaded")
                current.waiters += 1
                flight = current
            else:
                flight = Flight()
                if predecessor is None:
                    self.flights[key] = flight
                else:
                    predecessor.successor = flight
        if current is not None:
            return flight.result if flight.completed.wait(deadline - time.monotonic()) else answer_of("deadline")
        return self._lead(key, deadline, flight, predecessor, fetch)

    def _lead(self, key: str, deadline: float, flight: Flight, predecessor: Optional[Flight], fetch: Callable[[], Any]) -> Any:
        try:
            if predecessor is not None and not predecessor.completed.wait(deadline - time.monotonic()):
                flight.result = answer_of("deadline")
            else:
                flight.started_at = time.monotonic()
                flight.result = fetch()
            return flight.result
        finally:
            with self._lock:
                if self.flights.get(key) is flight:
                    if flight.successor is None:
                        del self.flights[key]
                    else:
                        self.flights[key] = flight.successor
                elif predecessor is not None and predecessor.successor is flight:
                    predecessor.successor = None  # the deadline passed before its turn
            flight.completed.set()
