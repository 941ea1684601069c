"""Claims in a Django cache, for the direct transport. Keep that cache private: its readers learn claims. Its writers gain nothing.

Keys are HMACs of the token under the SECRET_KEY, so the cache holds no token. Values are JSON, authenticated together with their key: a changed value,
or one under another token's key, is ignored. A value contains the end of its TTL (wall clock), so the cache's own
timeouts do not matter.
"""

import hashlib
import hmac
import json
import logging
from typing import Any, Callable, NamedTuple, Optional, Tuple

from django.conf import settings as django_settings
from django.core.cache import caches

from auth_integration.claims import Claims
from auth_integration.log import RateLimitedLog

_failures = RateLimitedLog(logging.WARNING)


class Entry(NamedTuple):
    claims: Optional[Claims]  # None: the Auth API rejected the token
    started_at: float  # wall clock: start of the request
    until: float  # wall clock


class ClaimsCache:
    """Any thread. A failing cache counts as empty: it is logged, and never an error of the request."""

    def __init__(self, alias: str, scope: Tuple[str, ...], wall_clock: Callable[[], float]) -> None:
        """`scope` is every input of an answer except the token."""
        self._alias = alias
        self._wall_clock = wall_clock
        secret = str(django_settings.SECRET_KEY).encode()
        self._key = hmac.new(secret, b"auth_integration.claims_cache\0" + json.dumps(scope).encode(), hashlib.sha256).digest()

    def key_of(self, token: str) -> str:
        return "auth_integration:" + hmac.new(self._key, token.encode(), hashlib.sha256).hexdigest()

    def get(self, key: str) -> Optional[Entry]:
        try:
            kept = caches[self._alias].get(key)
        except Exception as error:
            self._log("read", error)
            return None
        entry = self._opened(key, kept)
        now = self._wall_clock()
        # An entry from the future was written under another clock.
        return entry if entry is not None and entry.started_at <= now < entry.until else None

    def set(self, key: str, entry: Entry) -> None:
        ttl = entry.until - self._wall_clock()
        if ttl <= 0:
            return
        claims = entry.claims
        document = None if claims is None else {
            "members": claims, "id": claims.id, "email": claims.email, "roles": claims.roles}
        text = json.dumps([entry.started_at, entry.until, document])
        try:
            caches[self._alias].set(key, self._tag(key, text) + text, timeout=max(1, int(ttl + 1)))
        except Exception as error:
            self._log("write", error)

    def _tag(self, key: str, text: str) -> str:
        return hmac.new(self._key, f"{key}\0{text}".encode(), hashlib.sha256).hexdigest()

    def _opened(self, key: str, kept: Any) -> Optional[Entry]:
        if not isinstance(kept, str) or not hmac.compare_digest(kept[:64].encode(), self._tag(key, kept[64:]).encode()):
            return None
        started_at, until, document = json.loads(kept[64:])
        if document is None:
            return Entry(None, started_at, until)
        return Entry(Claims(document["members"], document["id"], document["email"], document["roles"]), started_at, until)

    def _log(self, verb: str, error: Exception) -> None:
        _failures.write((verb, self._alias), "cannot %s the claims cache %r: %s; querying the Auth API instead", verb, self._alias, type(error).__name__)
