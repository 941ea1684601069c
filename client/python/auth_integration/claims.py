"""Claims: what the Auth API says of a user, immutable; and the rules that a claims document must keep.

The rules are the daemon's (daemon/claims/parse/claims_parser.cc): whatever it refuses is refused by the direct transport, too.
"""

import json
import math
from typing import Any, Dict, Iterable, List, NoReturn, Optional, Tuple

MAX_ID, MAX_EMAIL, MAX_ROLE, MAX_ROLES = 256, 320, 128, 64  # bytes, bytes, bytes, count
MAX_DEPTH = 32


class FrozenDict(Dict[str, Any]):
    """A dict that json.dumps() and DRF's renderers take as one, and that nobody changes."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("claims are immutable: make a copy with dict(claims)")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse  # type: ignore[assignment]

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} members>"  # never a claim: this ends up in logs

    __str__ = __repr__

    def __copy__(self) -> "FrozenDict":
        return self

    def __deepcopy__(self, _memo: object) -> "FrozenDict":
        return self

    def __reduce__(self) -> Tuple[Any, ...]:
        return FrozenDict, (dict(self),)


class Claims(FrozenDict):
    """The members of the claims document, with `id`, `email` ("" if there is none) and `roles` as the transport found them."""

    __slots__ = ("id", "email", "roles")

    id: str
    email: str
    roles: Tuple[str, ...]

    def __init__(self, members: Dict[str, Any], id: str, email: str = "", roles: Iterable[str] = ()) -> None:
        dict.__init__(self, {key: frozen(value) for key, value in members.items()})
        object.__setattr__(self, "id", id)
        object.__setattr__(self, "email", email)
        object.__setattr__(self, "roles", tuple(roles))

    def __setattr__(self, *_: object) -> NoReturn:
        self._refuse()

    __delattr__ = __setattr__

    @property
    def role(self) -> str:
        """The first role, or ""."""
        return self.roles[0] if self.roles else ""

    def __reduce__(self) -> Tuple[Any, ...]:
        return Claims, (dict(self), self.id, self.email, self.roles)


NO_CLAIMS = FrozenDict()


def frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return FrozenDict({key: frozen(member) for key, member in value.items()})
    if isinstance(value, (list, tuple)):
        return tuple(frozen(member) for member in value)
    return value


class BadClaims(ValueError):
    """Not a claims document; says why, without its contents."""


def _members(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadClaims("an object has a member twice")  # two readers would see two different users
    return members


def _no_constant(_: str) -> NoReturn:
    raise BadClaims("NaN and Infinity are no JSON")


def _integer(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= int(text) < 2**64:
        raise BadClaims("an integer of more than 64 bits")
    return int(text)


def _float(text: str) -> float:
    value = float(text)
    if value in (math.inf, -math.inf):
        raise BadClaims("a number beyond any double")
    return value


def _check(value: Any, depth: int = 1) -> None:
    if isinstance(value, str):
        if any(character < " " or character == "\x7f" for character in value):
            raise BadClaims("a string holds a control character")
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise BadClaims("a string holds half a surrogate pair")
    elif isinstance(value, (dict, list)):
        if depth > MAX_DEPTH:
            raise BadClaims("nested too deeply")
        for member in value:
            _check(member, depth + 1)
        if isinstance(value, dict):
            for member in value.values():
                _check(member, depth + 1)


def _text(value: Any, name: str, limit: int) -> str:
    if not isinstance(value, str):
        raise BadClaims(f'member "{name}" is not a string')
    if len(value.encode()) > limit:
        raise BadClaims(f'member "{name}" is longer than {limit} bytes')
    return value


def _id(members: Dict[str, Any], name: str) -> str:
    value = members.get(name)
    if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**64:
        return str(value)
    if not isinstance(value, str) or not value:
        raise BadClaims(f'member "{name}" is neither a string nor an integer')
    return _text(value, name, MAX_ID)


def _roles(members: Dict[str, Any], name: str) -> Tuple[str, ...]:
    value = members.get(name)
    if value is None or value == "":
        return ()
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(isinstance(role, str) and role for role in listed):
        raise BadClaims(f'member "{name}" is neither a string nor a list of strings')
    if len(listed) > MAX_ROLES:
        raise BadClaims(f'member "{name}" lists more than {MAX_ROLES} roles')
    return tuple(_text(role, name, MAX_ROLE) for role in listed)


def claims_of(members: Dict[str, Any], id: str = "id", email: str = "email", role: str = "role") -> Claims:
    """Claims out of parsed members; `id`, `email` and `role` are the members' names."""
    address = members.get(email)
    return Claims(members, _id(members, id), "" if address is None else _text(address, email, MAX_EMAIL), _roles(members, role))


def parse_claims(body: bytes, id: str = "id", email: str = "email", role: str = "role") -> Claims:
    """Claims out of an answer of the Auth API; BadClaims if it is not a valid document."""
    try:
        members = json.loads(body.decode("utf-8"), object_pairs_hook=_members, parse_constant=_no_constant,
                             parse_int=_integer, parse_float=_float)
    except BadClaims:
        raise
    except (ValueError, RecursionError) as error:
        raise BadClaims("not one JSON document") from error
    if not isinstance(members, dict):
        raise BadClaims("not a JSON object")
    _check(members)
    return claims_of(members, id, email, role)


def claims_from_daemon(document: str, id: str, email: str, roles: Tuple[str, ...]) -> Claims:
    """What the daemon has checked already. It reads `id`, `email` and `roles` by the names of its own configuration."""
    members = json.loads(document)
    if not members:  # held back for its size
        members = {"id": id, "email": email, "role": roles[0] if len(roles) == 1 else list(roles)}
    return Claims(members, id, email, roles)


def identity_claims(user: object, auth: object) -> Optional[Claims]:
    """Whose claims a request stands on: DRF's `request.auth`, or those of a claims user who was forced upon it; else None."""
    if isinstance(auth, Claims):
        return auth
    claims = getattr(user, "claims", None)
    return claims if isinstance(claims, Claims) else None
