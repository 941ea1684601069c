"""`exp` of a JWT, read without verifying the signature: it can shorten a TTL, never extend it. As daemon/claims/parse/jwt_parser.cc does."""

import base64
import binascii
import json
import math
import re
from typing import Any, List, NamedTuple, Optional, Tuple

NEVER = math.inf
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


class Times(NamedTuple):
    expires_at: float  # seconds since the epoch; NEVER if the token is no JWT or has no such claim
    readable: bool  # False: exp or iat is there, but no number, so the answer must not be cached


class _Pairs:
    """An object's members, including repeated ones."""

    def __init__(self, pairs: List[Tuple[str, Any]]) -> None:
        self.pairs = pairs


def payload_of(token: str) -> Optional[bytes]:
    """The payload of a three-part token, or None."""
    parts = token.split(".")
    if len(parts) != 3 or not _BASE64URL.fullmatch(parts[1]):
        return None
    try:
        return base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
    except binascii.Error:
        return None


def times_of(token: str) -> Times:
    payload = payload_of(token)
    try:
        members = None if payload is None else json.loads(payload.decode("utf-8"), object_pairs_hook=_Pairs)
    except RecursionError:
        return Times(NEVER, False)
    except ValueError:
        return Times(NEVER, True)  # opaque
    if not isinstance(members, _Pairs):
        return Times(NEVER, True)
    times = [(name, _seconds(value)) for name, value in members.pairs if name in ("exp", "iat")]
    return Times(min((time for name, time in times if name == "exp" and time is not None), default=NEVER), all(time is not None for _, time in times))


def expires_at(token: str) -> float:
    return times_of(token).expires_at


def _seconds(value: Any) -> Optional[float]:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return None
    try:
        return float(value)
    except OverflowError:
        return NEVER if value > 0 else -NEVER
