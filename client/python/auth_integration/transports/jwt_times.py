"""`exp` of a JWT, read without verifying anything: it can shorten a life, never lengthen one. As daemon/claims/parse/jwt_parser.cc does it."""

import base64
import binascii
import json
import math
import re
from typing import Any, List, Tuple

NEVER = math.inf
_BASE64URL = re.compile(r"[A-Za-z0-9_-]*")


def expires_at(token: str) -> float:
    """Seconds since the epoch; NEVER where the token is no JWT or has no such claim."""
    parts = token.split(".")
    if len(parts) != 3 or not _BASE64URL.fullmatch(parts[1]):
        return NEVER
    try:
        payload = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        members = json.loads(payload.decode("utf-8"), object_pairs_hook=_Pairs)
    except (binascii.Error, ValueError, RecursionError):
        return NEVER
    if not isinstance(members, _Pairs):
        return NEVER
    return min((_seconds(value) for name, value in members.pairs if name == "exp"), default=NEVER)


class _Pairs:
    """An object's members, with those that come twice."""

    def __init__(self, pairs: List[Tuple[str, Any]]) -> None:
        self.pairs = pairs


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        return NEVER
    try:
        return float(value)
    except OverflowError:
        return NEVER if value > 0 else -NEVER
