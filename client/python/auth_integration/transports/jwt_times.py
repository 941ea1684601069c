"""`exp` and `iat` of a JWT, read without verifying the signature: they can shorten a TTL, never extend it. The rules of the daemon, and its cases:
tests/testdata/tokens/.
"""

import base64
import binascii
import json
import math
import re
from typing import Any, List, NamedTuple, Optional, Tuple

from auth_integration.documents import MAX_DEPTH, without_mark

NEVER = math.inf
_NO_BASE64 = re.compile(r"[^A-Za-z0-9_+/-]")
_NUMBER = re.compile(r"-?[0-9]{1,300}(\.[0-9]{1,300})?([eE][+-]?[0-9]{1,9})?")


class Times(NamedTuple):
    expires_at: float = NEVER  # seconds since the epoch; NEVER if the token is no JWT or has no such claim
    readable: bool = True  # False: exp or iat is there, but no number, so the answer must not be cached
    exact: bool = True  # False: read leniently, so the time shortens caching but rejects nothing
    issued_at: float = -NEVER

    @property
    def rejected_after(self) -> float:
        """When the token is expired beyond doubt."""
        return self.expires_at if self.exact else NEVER


class _Pairs:
    """An object's members, including repeated ones."""

    def __init__(self, pairs: List[Tuple[str, Any]]) -> None:
        self.pairs = pairs


def payload_of(token: str) -> Optional[bytes]:
    """The payload of a three-part token, or None. Lenient, like many decoders: padding and characters outside of base64 are skipped."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    text = _NO_BASE64.sub("", parts[1].partition("=")[0])
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        return None


def times_of(token: str) -> Times:
    payload = payload_of(token)
    if payload is None:
        return Times()
    try:
        text = payload.decode("utf-8", "surrogateescape")
        members = json.loads(without_mark(text), object_pairs_hook=_Pairs)
    except RecursionError:
        return Times(readable=False)
    except ValueError:
        return Times()  # opaque
    if not isinstance(members, _Pairs):
        return Times()
    found = {name: [_seconds(value) for key, value in members.pairs if key == name] for name in ("exp", "iat")}
    times = {name: [time for time in given if time is not None] for name, given in found.items()}
    readable = len(found["exp"]) == len(times["exp"]) and len(found["iat"]) == len(times["iat"])
    exact = _is_strict(members, 1) and not any(isinstance(value, str) for key, value in members.pairs if key in found)
    return Times(min(times["exp"], default=NEVER), readable, exact, min(times["iat"], default=-NEVER))


def expires_at(token: str) -> float:
    return times_of(token).expires_at


def _seconds(value: Any) -> Optional[float]:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return None
    try:
        return float(value)
    except OverflowError:
        return NEVER if value > 0 else -NEVER


def _is_strict(value: Any, depth: int) -> bool:
    """Whether every reader of JSON agrees on the value."""
    if isinstance(value, _Pairs):
        return depth <= MAX_DEPTH and all(_is_strict(name, depth) and _is_strict(member, depth + 1) for name, member in value.pairs)
    if isinstance(value, list):
        return depth <= MAX_DEPTH and all(_is_strict(member, depth + 1) for member in value)
    if isinstance(value, str):
        return not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or -(2**63) <= value < 2**64
