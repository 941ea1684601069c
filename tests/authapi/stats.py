"""Counts requests by method and path, correctly across threads and worker processes.

The counters are one shared array made before the workers fork, so the set of counters is fixed. All
other requests count as "other", so a client cannot make the table grow.
"""

import json
import multiprocessing

COUNTED = [
    "POST /api/token/",
    "POST /api/token/refresh/",
    "GET /api/me/",
    "POST /api/logout/",
    "other",
]


class Stats:
    """A WSGI layer around `application`. Answers `GET /stats` itself and does not count it."""

    def __init__(self, application):
        self._application = application
        # The array has its own lock, which works across fork.
        self._counts = multiprocessing.Array("Q", len(COUNTED))
        self._slot_of = {name: slot for slot, name in enumerate(COUNTED)}

    def __call__(self, environ, start_response):
        asked = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}"
        if asked == "GET /stats":
            return self._answer(start_response)
        with self._counts.get_lock():
            self._counts[self._slot_of.get(asked, self._slot_of["other"])] += 1
        return self._application(environ, start_response)

    def _answer(self, start_response):
        with self._counts.get_lock():
            counts = dict(zip(COUNTED, self._counts))
        body = json.dumps(counts).encode("ascii")
        start_response(
            "200 OK",
            [("Content-Type", "application/json"), ("Content-Length", str(len(body)))],
        )
        return [body]
