"""Queries the Auth API without claimsd: for a laptop, a test, or a host without the daemon. Verdicts and reasons are the daemon's.

Not available this way: one request for all processes of a host, revocation, an audit log that outlives the process, lookups without a system call.
"""

import os
import time
from typing import Callable, Optional, Tuple, Union

from auth_integration.claims import Claims
from auth_integration.conf import LONGEST_TTL, Settings
from auth_integration.documents import BadDocument
from auth_integration.mapping import Mismatch, RolesUnknown
from auth_integration.reasons import Answer, answer_of
from auth_integration.transports.base import Meta, Outcome, Transport, identity_of
from auth_integration.transports.claims_cache import ClaimsCache, Entry
from auth_integration.transports.http_pool import FetchFailed, HttpPool, Reply
from auth_integration.transports.jwt_times import payload_of, times_of
from auth_integration.transports.single_flight import SingleFlight

Result = Union[Claims, Answer]


class DirectTransport(Transport):
    """Any thread. Tests pass in the wall clock, which TTLs and `exp` follow; deadlines follow the monotonic clock."""

    def __init__(self, settings: Settings, wall: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._wall = wall
        self._pool = HttpPool(settings.api_url, settings.me_path, settings.max_connections, settings.ca_file)
        scope = (settings.api_url, settings.me_path, settings.mapping.key)
        self._cache = None if settings.cache is None else ClaimsCache(settings.cache, scope, wall)
        self._pid = os.getpid()
        self.flights = SingleFlight()

    def query(self, token: str, meta: Meta, route: Optional[str], max_age: Optional[float] = None) -> Outcome:
        if self._pid != os.getpid():
            self._pid, self.flights = os.getpid(), SingleFlight()  # the parent's requests complete in the parent
        if times_of(token).rejected_after < self._wall() - self._settings.clock_skew:
            return answer_of("expired")
        found = self._look_up(token, max_age)
        return identity_of(found) if isinstance(found, Claims) else found

    def _look_up(self, token: str, max_age: Optional[float]) -> Result:
        key = None
        if self._cache is not None:
            key = self._cache.key_of(token)
            entry = self._cache.get(key)
            if entry is not None and self._is_fresh(entry, max_age):
                return answer_of("rejected", source="cache") if entry.claims is None else entry.claims
        deadline = time.monotonic() + self._settings.timeout
        found: Result = self.flights.do(token, deadline, max_age, lambda: self._fetch(token, key, deadline))
        return found

    def _is_fresh(self, entry: Entry, max_age: Optional[float]) -> bool:
        """The entry may have been written under a longer MAX_TTL than this process has."""
        age = self._wall() - entry.started_at
        return age < self._settings.max_ttl and (max_age is None or age < max_age)

    # ---- one request -----------------------------------------------------------------------------

    def _fetch(self, token: str, key: Optional[str], deadline: float) -> Result:
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
        try:
            claims = self._settings.mapping.read(reply.body, payload_of(token))
        except BadDocument as error:
            return answer_of("upstream_body")._replace(text=f"the Auth API's claims document is not usable: {error}{_kind_of(reply)}")
        except RolesUnknown as error:
            return answer_of("roles_unknown")._replace(text=f"the user's roles are unknown: {error}")
        except Mismatch as error:
            return answer_of("claim_mismatch")._replace(text=f"not valid for this service: {error}")
        if self._was_rejected_since(key, started_at):
            return answer_of("rejected", source="cache")
        if "no-store" not in [directive.strip().lower() for directive in reply.cache_control.split(",")]:
            self._keep(key, Entry(claims, started_at, self._end_of_ttl(reply, token, started_at)))
        return claims

    def _was_rejected_since(self, key: Optional[str], started_at: float) -> bool:
        """Whether a later request of another process was answered 401."""
        entry = self._cache.get(key) if self._cache is not None and key is not None else None
        return entry is not None and entry.claims is None and entry.started_at >= started_at

    def _end_of_ttl(self, reply: Reply, token: str, started_at: float) -> float:
        times = times_of(token)
        if not times.readable:
            return 0.0
        ttl = min(self._settings.max_ttl, LONGEST_TTL)
        lifetime = _lifetime(reply.cache_control, reply.age)
        if lifetime is not None:
            ttl = min(ttl, lifetime)
        return min(started_at + ttl, times.expires_at - self._settings.clock_skew)

    def _keep(self, key: Optional[str], entry: Entry) -> None:
        if self._cache is not None and key is not None:
            self._cache.set(key, entry)

    # ---- the rest --------------------------------------------------------------------------------

    def describe(self) -> Tuple[bool, str]:
        """Queries with a made-up token. An Auth API that rejects it works."""
        url = self._settings.api_url + self._settings.me_path
        began = time.monotonic()
        answer = self._fetch("auth_status", None, began + self._settings.timeout)
        took = f"in {(time.monotonic() - began) * 1000:.1f} ms"
        if isinstance(answer, Claims):
            return False, f"{url} confirmed a made-up token: it is not an Auth API"
        if answer.reason == "rejected":
            return True, f"{url} rejected a made-up token, as it should, {took}"
        return False, f"{url}: {answer.text}"

    def close(self) -> None:
        self._pool.close()


def _kind_of(reply: Reply) -> str:
    """The content type of an answer, if it is not JSON: a login page, or a signed userinfo document."""
    kind = "".join(character for character in reply.content_type.partition(";")[0].strip()[:60] if character.isalnum() or character in "/+-.")
    return "" if not kind or kind.endswith(("/json", "+json")) else f" (its content type is {kind})"


def _whole_seconds(text: str) -> Optional[int]:
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] == '"':
        text = text[1:-1]
    if not text or not text.isascii() or not text.isdigit():
        return None
    return min(int(text[:12]), 2**31)


def _lifetime(cache_control: str, age: str) -> Optional[int]:
    """max-age of Cache-Control less Age; None if there is no directive for it."""
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
