"""Asking the Auth API itself: for a laptop, a test, a host without claimsd. Verdicts and reasons are those of the daemon.

What it cannot give: one request for all processes of a host, revocation, an audit log that survives the process, hits without a system call.
"""

import os
import threading
import time
from typing import Any, Callable, Dict, Optional, Tuple, Union

from auth_integration.claims import BadClaims, Claims, parse_claims
from auth_integration.conf import LONGEST_TTL, Settings
from auth_integration.reasons import Answer, answer_of
from auth_integration.transports.base import Identity, Transport, identity_of
from auth_integration.transports.claims_cache import ClaimsCache, Entry
from auth_integration.transports.http_pool import FetchFailed, HttpPool, Reply
from auth_integration.transports.jwt_times import expires_at

MAX_WAITERS = 256  # for one token's answer
Outcome = Union[Claims, Answer]


class _Flight:
    """One request under way, and those who wait for what comes of it."""

    def __init__(self) -> None:
        self.landed = threading.Event()
        self.outcome: Outcome = answer_of("internal")
        self.waiters = 0


class DirectTransport(Transport):
    """Any thread. The clocks are passed in for tests: `monotonic` for deadlines, `wall` for lives and `exp`."""

    def __init__(self, settings: Settings, wall: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._wall = wall
        self._pool = HttpPool(settings.api_url, settings.me_path, settings.max_connections, settings.ca_file)
        scope = (settings.api_url, settings.me_path, settings.id_claim, settings.email_claim, settings.role_claim)
        self._cache = None if settings.cache is None else ClaimsCache(settings.cache, scope, wall)
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._flights: Dict[str, _Flight] = {}

    def ask(self, token: str, meta: Optional[Dict[str, Any]], route: Optional[str]) -> Union[Identity, Answer]:
        if self._pid != os.getpid():
            self._start_afresh()  # the parent's flights land in the parent
        if expires_at(token) < self._wall() - self._settings.clock_skew:
            return answer_of("expired")
        outcome = self._look_up(token)
        return identity_of(outcome) if isinstance(outcome, Claims) else outcome

    def _look_up(self, token: str) -> Outcome:
        key = None
        if self._cache is not None:
            key = self._cache.key_of(token)
            entry = self._cache.get(key)
            # It may have been given its life under a longer MAX_TTL than today's.
            if entry is not None and self._wall() < entry.started_at + self._settings.max_ttl:
                return answer_of("rejected", source="cache") if entry.claims is None else entry.claims
        return self._join_or_start(token, key)

    # ---- single flight ---------------------------------------------------------------------------

    def _join_or_start(self, token: str, key: Optional[str]) -> Outcome:
        deadline = time.monotonic() + self._settings.timeout
        with self._lock:
            flight = self._flights.get(token)
            starts = flight is None
            if flight is None:
                flight = self._flights[token] = _Flight()
            elif flight.waiters >= MAX_WAITERS:
                return answer_of("overloaded")
            else:
                flight.waiters += 1
        if not starts:
            return flight.outcome if flight.landed.wait(deadline - time.monotonic()) else answer_of("deadline")
        try:
            flight.outcome = self._fetch(token, key, deadline)
            return flight.outcome
        finally:
            with self._lock:
                self._flights.pop(token, None)
            flight.landed.set()

    # ---- one request -----------------------------------------------------------------------------

    def _fetch(self, token: str, key: Optional[str], deadline: float) -> Outcome:
        started_at = self._wall()
        try:
            reply = self._pool.get(token, deadline)
        except FetchFailed as failure:
            return answer_of(failure.reason)
        if reply.status == 401:
            self._keep(key, Entry(None, started_at, self._wall() + self._settings.negative_ttl))
            return answer_of("rejected", source="upstream")
        if reply.status != 200:
            return answer_of("upstream_status", retry_after_ms=1000 * min(_whole_seconds(reply.retry_after) or 0, 3600))
        settings = self._settings
        try:
            claims = parse_claims(reply.body, settings.id_claim, settings.email_claim, settings.role_claim)
        except BadClaims:
            return answer_of("upstream_body")
        if self._was_refused_since(key, started_at):
            return answer_of("rejected", source="cache")
        if "no-store" not in [directive.strip().lower() for directive in reply.cache_control.split(",")]:
            self._keep(key, Entry(claims, started_at, self._end_of_life(reply, token, started_at)))
        return claims

    def _was_refused_since(self, key: Optional[str], started_at: float) -> bool:
        """Another process learnt of a refusal by a request that began after ours."""
        entry = self._cache.get(key) if self._cache is not None and key is not None else None
        return entry is not None and entry.claims is None and entry.started_at >= started_at

    def _end_of_life(self, reply: Reply, token: str, started_at: float) -> float:
        life = min(self._settings.max_ttl, LONGEST_TTL)
        lifetime = _lifetime(reply.cache_control, reply.age)
        if lifetime is not None:
            life = min(life, lifetime)
        return min(started_at + life, expires_at(token) - self._settings.clock_skew)

    def _keep(self, key: Optional[str], entry: Entry) -> None:
        if self._cache is not None and key is not None:
            self._cache.set(key, entry)

    # ---- the rest --------------------------------------------------------------------------------

    def describe(self) -> Tuple[bool, str]:
        """Asks with a token that nobody was given: an Auth API that refuses it is one that answers."""
        url = self._settings.api_url + self._settings.me_path
        began = time.monotonic()
        answer = self._fetch("auth_status", None, began + self._settings.timeout)
        took = f"in {(time.monotonic() - began) * 1000:.1f} ms"
        if isinstance(answer, Claims):
            return False, f"{url} confirmed a made-up token: it is no Auth API"
        if answer.reason == "rejected":
            return True, f"{url} refused a made-up token, as it should, {took}"
        return False, f"{url}: {answer.text}"

    def close(self) -> None:
        self._pool.close()


def _whole_seconds(text: str) -> Optional[int]:
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not text or not text.isascii() or not text.isdigit():
        return None
    return min(int(text[:12]), 2**31)


def _lifetime(cache_control: str, age: str) -> Optional[int]:
    """Cache-Control's max-age less Age; None where it says nothing."""
    lifetime: Optional[int] = None
    for directive in cache_control.split(","):
        name, _, value = directive.partition("=")
        name = name.strip().lower()
        if name == "no-cache":
            lifetime = 0
        elif name == "max-age":
            seconds = _whole_seconds(value) or 0
            lifetime = seconds if lifetime is None else min(lifetime, seconds)
    if lifetime is None:
        return None
    return max(0, lifetime - (_whole_seconds(age.split(",")[0]) or 0))
