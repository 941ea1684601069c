"""REST framework permission classes. Each call makes a class, so that `&`, `|`, `~` and type checkers work:

    permission_classes = [HasRole("rvt")]
    permission_classes = [HasAnyRole("doctor", "admin") & ~HasRole("suspended")]

Roles are compared exactly. None of these classes admits an anonymous request, negated or not.
"""

from functools import lru_cache
from typing import Any, Callable, ClassVar, Tuple, Type

from django.utils.translation import gettext_lazy as _

from auth_integration.claims import Claims, identity_claims
from auth_integration.composition import ComposablePermission, PermissionMetaclass, checked, is_authenticated
from auth_integration.exceptions import exception_of
from auth_integration.identify import confirm, make_user
from auth_integration.reasons import Answer, answer_of
from auth_integration.runtime import current
from auth_integration.state import http_request, state_of

CACHED = 1024  # classes to keep, so that HasRole() per request is cheap


class ClaimsPermission(ComposablePermission):
    """A rule about claims, for views and objects alike. Subclasses define allows() and, if the object matters, allows_object()."""

    required: ClassVar[str] = "claims"  # the rule's name in the audit record
    message = _("You do not have the required role.")

    def allows(self, claims: Claims) -> bool:
        raise NotImplementedError

    def allows_object(self, claims: Claims, obj: Any) -> bool:
        return True

    def _judge(self, request: Any, allows: Callable[[Claims], bool]) -> bool:
        claims = identity_claims(request.user, request.auth) if is_authenticated(request) else None
        http = http_request(request)
        if claims is not None:
            if "user_claims" not in http.__dict__:
                http.user_claims = claims  # a test set the user by force_authenticate()
            if checked(allows(claims), self):
                return True
        state = state_of(http)
        if self.required not in state.required:
            state.required += (self.required,)
        return False

    def has_permission(self, request: Any, view: Any) -> bool:
        return self._judge(request, self.allows)

    def has_object_permission(self, request: Any, view: Any, obj: Any) -> bool:
        return self._judge(request, lambda claims: checked(self.allows(claims), self) and self.allows_object(claims, obj))


def _check_roles(name: str, roles: Tuple[object, ...]) -> None:
    if not roles:
        raise TypeError(f'{name} needs a role: write permission_classes = [{name}("rvt")], not [{name}]')
    for role in roles:
        if not isinstance(role, str) or not role:
            raise TypeError(f'{name} takes roles as non-empty strings, as {name}("rvt"); not {role!r}')


def _call_text(name: str, arguments: Tuple[object, ...]) -> str:
    return f"{name}({', '.join(map(repr, arguments))})".replace("'", '"')


def _make(name: str, required: str, **members: Any) -> Type[ClaimsPermission]:
    made: Type[ClaimsPermission] = PermissionMetaclass(name, (ClaimsPermission,), {"required": required, "__module__": __name__, **members})
    return made


@lru_cache(maxsize=CACHED)
def _any_role(name: str, roles: Tuple[str, ...]) -> Type[ClaimsPermission]:
    wanted, required = frozenset(roles), _call_text(name, roles)
    return _make(name, required, roles=roles, allows=lambda self, claims: not wanted.isdisjoint(claims.roles))


def HasRole(*roles: str) -> Type[ClaimsPermission]:  # noqa: N802
    """Admits users with exactly this role among theirs."""
    _check_roles("HasRole", roles)
    if len(roles) > 1:
        raise TypeError(f"HasRole takes one role; for any of several write HasAnyRole{roles!r}")
    return _any_role("HasRole", roles)


def HasAnyRole(*roles: str) -> Type[ClaimsPermission]:  # noqa: N802
    """Admits users with at least one of these roles."""
    _check_roles("HasAnyRole", roles)
    return _any_role("HasAnyRole", roles)


@lru_cache(maxsize=CACHED)
def _all_roles(roles: Tuple[str, ...]) -> Type[ClaimsPermission]:
    wanted = frozenset(roles)
    return _make("HasAllRoles", _call_text("HasAllRoles", roles), roles=roles, allows=lambda self, claims: wanted.issubset(claims.roles))


def HasAllRoles(*roles: str) -> Type[ClaimsPermission]:  # noqa: N802
    """Admits users with each of these roles."""
    _check_roles("HasAllRoles", roles)
    return _all_roles(roles)


def check_max_age(name: str, seconds: object) -> None:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds < 2**31 / 1000:
        raise TypeError(f"{name} takes a number of seconds, as {name}(30); not {seconds!r}")


@lru_cache(maxsize=CACHED)
def _confirmed_within(seconds: float) -> Type[ComposablePermission]:
    made: Type[ComposablePermission] = PermissionMetaclass("ConfirmedWithin", (_ConfirmedWithin,), {"seconds": seconds, "__module__": __name__})
    return made


def ConfirmedWithin(seconds: float) -> Type[ComposablePermission]:  # noqa: N802
    """For sensitive views: admits users whose token the Auth API has confirmed within `seconds`; 0 queries it for each request. A token that it now
    rejects is answered 401, an outage 503. The new answer replaces `request.user` and `request.auth`."""
    check_max_age("ConfirmedWithin", seconds)
    return _confirmed_within(seconds)


class _ConfirmedWithin(ComposablePermission):
    seconds: ClassVar[float]

    def has_permission(self, request: Any, view: Any) -> bool:
        http = http_request(request)
        if not is_authenticated(request) or not isinstance(request.auth, Claims):
            return False
        runtime = current(state_of(http).latest.upstream)
        found = confirm(http, runtime, self.seconds)
        user: Any = make_user(http, runtime, found) if type(found) is tuple else found
        if user is None or isinstance(user, Answer) or type(found) is not tuple:
            raise exception_of(user or answer_of("rejected"), runtime.settings.retry_after)
        request.user, request.auth = user, found[1]
        return True


_ANY_VALUE: Any = object()


def HasClaim(name: str = "", value: Any = _ANY_VALUE) -> Type[ClaimsPermission]:  # noqa: N802
    """Admits users whose claims have this member. With a value: only if the member is that value, of the same type, or a list that contains it."""
    if not isinstance(name, str) or not name:
        raise TypeError('HasClaim needs the name of a claim: write HasClaim("clinic") or HasClaim("clinic", "North")')

    def allows(self: ClaimsPermission, claims: Claims) -> bool:
        if name not in claims:
            return False
        if value is _ANY_VALUE:
            return True
        held = claims[name]
        return any(type(one) is type(value) and one == value for one in (held if isinstance(held, tuple) else (held,)))

    required = _call_text("HasClaim", (name,))  # without the value, which may identify a person
    return _make("HasClaim", required, allows=allows)


IsAdminOrDoctor = _any_role("IsAdminOrDoctor", ("admin", "doctor"))
IsAdminOrDoctor.required = "IsAdminOrDoctor"
