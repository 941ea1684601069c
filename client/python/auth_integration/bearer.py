"""Reads the token from an Authorization header. The rules are those of ext/bearer.h; a property test compares the two."""

import re
from typing import NamedTuple, Optional, Union

MAX_TOKEN = 32768  # bytes; as in proto/limits.h

_OURS = re.compile(rb"(?i:bearer)(?![0-9A-Za-z!#$%&'*+.^_`|~-])")
_TOKEN = re.compile(rb"[!-~]+")  # visible ASCII
# Control characters, and characters outside Latin-1.
_BROKEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f\xc4-\xff]")


class Refused(NamedTuple):
    """A header that is rejected without a lookup."""

    reason: str


def check_token(token: Union[str, bytes]) -> Optional[str]:
    """None if it may be a token, otherwise the reason: "too_long" or "malformed"."""
    if isinstance(token, str):
        try:
            token = token.encode()
        except UnicodeEncodeError:
            return "malformed"
    if len(token) > MAX_TOKEN:
        return "too_long"
    return None if _TOKEN.fullmatch(token) else "malformed"


def parse_bearer(header: object) -> Union[None, str, Refused]:
    """The token; None if the header has another scheme; Refused if it is malformed."""
    if not isinstance(header, str):
        return Refused("malformed")
    try:
        text = header.encode().strip(b" \t")
    except UnicodeEncodeError:
        return Refused("malformed")
    if not _OURS.match(text):
        return Refused("malformed") if not text or _BROKEN.search(text) else None
    rest = text[len(b"bearer"):]
    token = rest.lstrip(b" ")
    if rest == token:
        return Refused("malformed")
    reason = check_token(token)
    return token.decode() if reason is None else Refused(reason)
