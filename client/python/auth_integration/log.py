"""A rate-limited log: one record per minute and subject, with the number of suppressed records."""

import logging
import threading
import time
from typing import Callable, Dict, Hashable, Tuple

logger = logging.getLogger("auth_integration")
MAX_SUBJECTS = 256


class RateLimitedLog:
    """Any thread."""

    def __init__(self, level: int, interval: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._level = level
        self._interval = interval
        self._clock = clock
        self._lock = threading.Lock()
        self._subjects: Dict[Hashable, Tuple[float, int]] = {}  # when the last record was written, and how many were suppressed since

    def write(self, subject: Hashable, message: str, *arguments: object) -> None:
        with self._lock:
            now = self._clock()
            last, suppressed = self._subjects.get(subject, (-self._interval, 0))
            if now - last < self._interval:
                self._subjects[subject] = last, suppressed + 1
                return
            if len(self._subjects) >= MAX_SUBJECTS:
                self._subjects.clear()
            self._subjects[subject] = now, 0
        if suppressed:
            message += " (%d more since the last record)"
            arguments += (suppressed,)
        logger.log(self._level, message, *arguments)
