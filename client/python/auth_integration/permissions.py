"""REST framework's permission classes. Each call makes a class, so that `&`, `|`, `~` and typing work:

    permission_classes = [HasRole("rvt")]
    permission_classes = [HasAnyRole("doctor", "admin") & ~HasRole("suspended")]

Roles are compared exactly. None of them, however negated, lets in a request that is not authenticated.
"""

from functools import lru_cache
from typing import Any, Callable, ClassVar, Tuple, Type

from rest_framework.permissions import (
    AND,
    OR,
    BasePermission,
    BasePermissionMetaclass,
    OperandHolder,
    SingleOperandHolder,
)

from auth_integration.claims import Claims, identity_claims
from auth_integration.state import http_request, state_of


def is_authenticated(request: Any) -> bool:
    user = request.user
    return bool(user and user.is_authenticated)


class _NotButAuthenticated:
    """The negation of a permission, for those alone who are authenticated."""

    def __init__(self, negated: Any) -> None:
        self.negated = negated

    def has_permission(self, request: Any, view: Any) -> bool:
        return is_authenticated(request) and not self.negated.has_permission(request, view)

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
        return is_authenticated(request) and not self.negated.has_object_permission(request, view, obj)


class ClaimsPermissionMetaclass(BasePermissionMetaclass, OperandHolder, SingleOperandHolder):
    """REST framework's operators, but for `~`; and what they make is a class of this metaclass again.

    It derives from the types of REST framework's own operands so that Python asks us first, whichever side we are on (data model, "reflected
    operands"): else `~((IsAuthenticated & A) & HasRole("x"))` would be REST framework's negation, which lets in those whom nobody knows.
    """

    def __init__(cls, *arguments: Any, **more: Any) -> None:
        type.__init__(cls, *arguments, **more)

    def __call__(cls, *arguments: Any, **more: Any) -> Any:
        return type.__call__(cls, *arguments, **more)

    def __and__(cls, other: Any) -> Any:
        return _compose(AND, cls, other)

    def __or__(cls, other: Any) -> Any:
        return _compose(OR, cls, other)

    def __rand__(cls, other: Any) -> Any:
        return _compose(AND, other, cls)

    def __ror__(cls, other: Any) -> Any:
        return _compose(OR, other, cls)

    def __invert__(cls) -> Any:
        return _compose(_NotButAuthenticated, cls)


class _Composition(BasePermission, metaclass=ClaimsPermissionMetaclass):
    operator: ClassVar[Any]
    operands: ClassVar[Tuple[Any, ...]]

    def __init__(self) -> None:
        self._composed = self.operator(*(operand() for operand in self.operands))

    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(self._composed.has_permission(request, view))

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
        return bool(self._composed.has_object_permission(request, view, obj))


def _compose(operator: Any, *operands: Any) -> Any:
    return ClaimsPermissionMetaclass("Composition", (_Composition,), {"operator": operator, "operands": operands, "__module__": __name__})


class ClaimsPermission(BasePermission, metaclass=ClaimsPermissionMetaclass):
    """What is asked of the claims is asked alike of a view and of an object. Derive from it and write allows(); where the object matters, too,
    allows_object(), which is asked besides."""

    required: ClassVar[str] = "claims"  # for the audit record
    message = "You do not have the role that this needs."

    def allows(self, claims: Claims) -> bool:
        raise NotImplementedError

    def allows_object(self, claims: Claims, obj: Any) -> bool:
        return True

    def _judge(self, request: Any, allows: Callable[[Claims], bool]) -> bool:
        claims = identity_claims(request.user, request.auth) if is_authenticated(request) else None
        http = http_request(request)
        if claims is not None:
            if "user_claims" not in http.__dict__:
                http.user_claims = claims  # who was forced upon the request by a test
            if allows(claims):
                return True
        state = state_of(http)
        if self.required not in state.required:
            state.required += (self.required,)
        return False

    def has_permission(self, request: Any, view: Any) -> bool:
        return self._judge(request, self.allows)

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
        return self._judge(request, lambda claims: self.allows(claims) and self.allows_object(claims, obj))


def _check_roles(name: str, roles: Tuple[object, ...]) -> None:
    if not roles:
        raise TypeError(f'{name} needs a role: write permission_classes = [{name}("rvt")], not [{name}]')
    for role in roles:
        if not isinstance(role, str) or not role:
            raise TypeError(f'{name} takes roles as non-empty strings, as {name}("rvt"); not {role!r}')


def _make(name: str, required: str, **members: Any) -> Type[ClaimsPermission]:
    made: Type[ClaimsPermission] = ClaimsPermissionMetaclass(name, (ClaimsPermission,), {"required": required, "__module__": __name__, **members})
    return made


@lru_cache(maxsize=None)
def _any_role(name: str, roles: Tuple[str, ...]) -> Type[ClaimsPermission]:
    wanted = frozenset(roles)
    required = f"{name}({', '.join(map(repr, roles))})".replace("'", '"')
    return _make(name, required, roles=roles, allows=lambda _, claims: not wanted.isdisjoint(claims.roles))


def HasRole(*roles: str) -> Type[ClaimsPermission]:  # noqa: N802
    """Whoever has exactly this role, as one of theirs."""
    _check_roles("HasRole", roles)
    if len(roles) > 1:
        raise TypeError(f"HasRole takes one role; for any of several write HasAnyRole{roles!r}")
    return _any_role("HasRole", roles)


def HasAnyRole(*roles: str) -> Type[ClaimsPermission]:  # noqa: N802
    """Whoever has at least one of these roles."""
    _check_roles("HasAnyRole", roles)
    return _any_role("HasAnyRole", roles)


_ANY_VALUE: Any = object()


def HasClaim(name: str = "", value: Any = _ANY_VALUE) -> Type[ClaimsPermission]:  # noqa: N802
    """Whoever's claims have this member; where a value is given: with exactly it, of the same type, or a list with it."""
    if not isinstance(name, str) or not name:
        raise TypeError('HasClaim needs the name of a claim: write HasClaim("clinic") or HasClaim("clinic", "North")')

    def allows(_: ClaimsPermission, claims: Claims) -> bool:
        if name not in claims:
            return False
        if value is _ANY_VALUE:
            return True
        held = claims[name]
        return any(type(one) is type(value) and one == value for one in (held if isinstance(held, tuple) else (held,)))

    required = f"HasClaim({name!r})".replace("'", '"')  # without the value: it may be somebody's
    return _make("HasClaim", required, allows=allows)


IsAdminOrDoctor = _any_role("IsAdminOrDoctor", ("admin", "doctor"))
IsAdminOrDoctor.required = "IsAdminOrDoctor"


