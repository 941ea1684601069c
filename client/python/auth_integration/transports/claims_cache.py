"""Claims in a Django cache, for the direct transport. Whoever reads that cache learns claims, so keep it private; whoever writes it gains nothing.

Keys are HMACs of the token under the SECRET_KEY, so no token is in the cache. Values are JSON, authenticated together with their key: one that was
changed, or put under another token's key, is not there. Lives are kept in the value by the wall clock, whatever the cache does about time-outs.
"""

import hashlib
import hmac
import json
import logging
from typing import Any, Callable, NamedTuple, Optional, Tuple

from django.conf import settings as django_settings
from django.core.cache import caches

from auth_integration.claims import Claims

logger = logging.getLogger("auth_integration")


class Entry(NamedTuple):
    claims: Optional[Claims]  # None: the Auth API refused the token
    started_at: float  # wall clock: when the request that says so began
    until: float  # wall clock


class ClaimsCache:
    """Any thread. A cache that fails is a cache that knows nothing: logged, never an error of the request."""

    def __init__(self, alias: str, scope: Tuple[str, ...], wall_clock: Callable[[], float]) -> None:
        """`scope` is everything besides the token that an answer depends on."""
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
            self._complain("read", error)
            return None
        entry = self._opened(key, kept)
        now = self._wall_clock()
        # One from the future was written under another clock: not to be relied on.
        return entry if entry is not None and entry.started_at <= now < entry.until else None

    def set(self, key: str, entry: Entry) -> None:
        life = entry.until - self._wall_clock()
        if life <= 0:
            return
        claims = entry.claims
        document = None if claims is None else {
            "members": claims, "id": claims.id, "email": claims.email, "roles": claims.roles}
        text = json.dumps([entry.started_at, entry.until, document])
        try:
            caches[self._alias].set(key, self._tag(key, text) + text, timeout=max(1, int(life + 1)))
        except Exception as error:
            self._complain("write", error)

    def _tag(self, key: str, text: str) -> str:
        return hmac.new(self._key, f"{key}\0{text}".encode(), hashlib.sha256).hexdigest()

    def _opened(self, key: str, kept: Any) -> Optional[Entry]:
        if not isinstance(kept, str) or not hmac.compare_digest(kept[:64].encode(), self._tag(key, kept[64:]).encode()):
            return None
        started_at, until, document = json.loads(kept[64:])
        if document is None:
            return Entry(None, started_at, until)
        return Entry(Claims(document["members"], document["id"], document["email"], document["roles"]), started_at, until)

    def _complain(self, what: str, error: Exception) -> None:
        logger.warning("cannot %s the claims cache %r: %s; asking the Auth API instead", what, self._alias, type(error).__name__)
