"""Claims: the members of the Auth API's document about a user. Immutable."""

from typing import Any, Dict, Iterable, NoReturn, Optional, Tuple, Union

from auth_integration.documents import NumberText, encodable, parse


class FrozenDict(Dict[str, Any]):
    """A dict for json.dumps() and REST framework's renderers that cannot be changed."""

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("claims are immutable: make a copy with dict(claims)")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse  # type: ignore[assignment]

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {len(self)} members>"  # without values, because it appears in logs

    __str__ = __repr__
    __sentry_repr__ = __repr__  # otherwise Sentry copies the members out of a frame's variables

    def __copy__(self) -> "FrozenDict":
        return self

    def __deepcopy__(self, _memo: object) -> "FrozenDict":
        return self

    def __reduce__(self) -> Tuple[Any, ...]:
        return FrozenDict, (dict(self),)


class Claims(FrozenDict):
    """The members of the claims document, with `id`, `email` ("" if there is none) and `roles` as the mapping found them. An integer id stays one.
    `truncated` is True if the daemon left out the other members for their size (its option max_claims_bytes)."""

    __slots__ = ("id", "email", "roles", "truncated")

    id: Union[str, int]
    email: str
    roles: Tuple[str, ...]
    truncated: bool

    def __init__(self, members: Dict[str, Any], id: Union[str, int], email: str = "", roles: Iterable[str] = (), truncated: bool = False) -> None:
        dict.__init__(self, {encodable(key): frozen(value) for key, value in members.items()})
        object.__setattr__(self, "id", id)
        object.__setattr__(self, "email", email)
        object.__setattr__(self, "roles", tuple(roles))
        object.__setattr__(self, "truncated", truncated)

    def __setattr__(self, *_: object) -> NoReturn:
        self._refuse()

    __delattr__ = __setattr__

    @property
    def role(self) -> str:
        """The first role, or ""."""
        return self.roles[0] if self.roles else ""

    def __reduce__(self) -> Tuple[Any, ...]:
        return Claims, (dict(self), self.id, self.email, self.roles, self.truncated)


NO_CLAIMS = FrozenDict()


def frozen(value: Any) -> Any:
    if isinstance(value, NumberText):
        return str(value)
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return FrozenDict({encodable(key): frozen(member) for key, member in value.items()})
    if isinstance(value, (list, tuple)):
        return tuple(frozen(member) for member in value)
    return value


def claims_from_daemon(document: str, id: str, email: str, roles: Tuple[str, ...], truncated: bool = False, id_claim: str = "id") -> Claims:
    """Claims of a document that the daemon has checked. The daemon maps id, email and roles by its own configuration and sends the id as text. `id_claim`
    names the member that may hold it as an integer."""
    members = parse(document)
    if not members:  # the daemon omitted the document because of its size
        members.update({"id": id, "email": email, "role": roles[0] if len(roles) == 1 else list(roles)})
    native = members.get(id_claim)
    return Claims(members, native if type(native) is int and str(native) == id else id, email, roles, truncated)


def identity_claims(user: object, auth: object) -> Optional[Claims]:
    """The claims of a request: REST framework's `request.auth`, or those of a user that a test set by force_authenticate(); otherwise None."""
    if isinstance(auth, Claims):
        return auth
    claims = getattr(user, "claims", None)
    return claims if isinstance(claims, Claims) else None
