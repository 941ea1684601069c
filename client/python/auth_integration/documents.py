"""JSON as Auth APIs send it, read tolerantly: only the members that are used decide whether a document is usable.

Tolerated anywhere: control characters in escapes, lone surrogates, numbers beyond a double, repeated members. Required: one complete JSON value in
UTF-8, nested at most MAX_DEPTH deep. What Python's json would write back as invalid JSON is replaced: lone surrogates by U+FFFD, numbers beyond a
double by their text.
"""

import json
import math
import re
from typing import Any, Dict, FrozenSet, List, NoReturn, Tuple, Union

MAX_DEPTH = 32
_SURROGATE = re.compile("[\ud800-\udfff]")
MAX_DIGITS = 1000  # of an integer; Python refuses to convert more than 4,300


class BadDocument(ValueError):
    """Not a usable claims document. The text names the member, never its value."""


class NumberText(str):
    """A number that Python's json would not write back, as its text. It is no string of the document."""


def is_text(value: Any) -> bool:
    return isinstance(value, str) and not isinstance(value, NumberText)


class Members(Dict[str, Any]):
    """An object of a document. Of a repeated member the last value is kept, and its name is in `repeated`. `depth` counts the levels of all values."""

    __slots__ = ("repeated", "depth")

    repeated: FrozenSet[str]
    depth: int


def without_mark(text: str) -> str:
    """Without a byte order mark, which RFC 8259, section 8.1, lets a parser ignore."""
    return text[1:] if text.startswith("\ufeff") else text


def parse(body: Union[bytes, str]) -> Members:
    """A document whose outermost value is an object; else BadDocument."""
    try:
        text = body if isinstance(body, str) else body.decode("utf-8")
        value = json.loads(without_mark(text), object_pairs_hook=_members, parse_constant=_no_constant, parse_int=_integer, parse_float=_float)
    except BadDocument:
        raise
    except (ValueError, RecursionError) as error:
        raise BadDocument("it is not one JSON document") from error
    if not isinstance(value, Members):
        raise BadDocument("it is not a JSON object")
    if value.depth > MAX_DEPTH:
        raise BadDocument(f"it is nested more than {MAX_DEPTH} deep")
    return value


def _members(pairs: List[Tuple[str, Any]]) -> Members:
    members = Members(pairs)
    members.repeated = frozenset()
    members.depth = 1 + max((_depth(value) for _, value in pairs), default=0)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        members.repeated = frozenset(name for name in members if names.count(name) > 1)
    return members


def _no_constant(name: str) -> NoReturn:
    raise BadDocument(f"{name} is not JSON")


def _integer(text: str) -> Union[int, str]:
    return int(text) if len(text) <= MAX_DIGITS else NumberText(text)


def _float(text: str) -> Union[float, str]:
    value = float(text)
    return value if math.isfinite(value) else NumberText(text)


def _depth(value: Any) -> int:
    if isinstance(value, Members):
        return value.depth
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


def encodable(text: str) -> str:
    """The text without lone surrogates, which no response could carry."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)
