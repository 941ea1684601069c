"""Users made of claims: nothing is looked up in, or written to, a database."""

from typing import Any, NoReturn, Tuple

from auth_integration.claims import Claims


class ClaimsUser:
    """Who the Auth API says is asking. Immutable, equal to every other one of the same id. What it lacks it does not have: no catch-all."""

    __slots__ = ("claims", "id", "email", "role", "roles")

    claims: Claims
    id: str
    email: str
    role: str
    roles: Tuple[str, ...]

    # What Django and DRF ask of a user. No claim makes anybody staff: that is for USER_CLASS or USER_RESOLVER to say.
    is_authenticated = True
    is_anonymous = False
    is_active = True
    is_staff = False
    is_superuser = False

    def __init__(self, claims: Claims) -> None:
        for name, value in (("claims", claims), ("id", claims.id), ("email", claims.email),
                            ("role", claims.role), ("roles", claims.roles)):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, _: object) -> NoReturn:
        raise AttributeError(f"a claims user is immutable: {name} cannot be set")

    __delattr__ = __setattr__  # type: ignore[assignment]

    @property
    def pk(self) -> str:
        return self.id

    def get_username(self) -> str:
        return self.id

    def has_role(self, role: str) -> bool:
        return role in self.roles

    def has_perm(self, _permission: str, _object: Any = None) -> bool:
        return False

    def has_perms(self, permissions: Any, _object: Any = None) -> bool:
        return not list(permissions)

    def has_module_perms(self, _label: str) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClaimsUser) and other.id == self.id

    def __hash__(self) -> int:
        return hash((ClaimsUser, self.id))

    def __str__(self) -> str:
        return self.id

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"  # never a claim: this ends up in logs

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.claims,)


class AnonymousClaimsUser:
    """Nobody, where django.contrib.auth and its AnonymousUser are not installed."""

    __slots__ = ()

    claims = None
    id = pk = None
    email = role = ""
    roles: Tuple[str, ...] = ()
    is_authenticated = False
    is_anonymous = True
    is_active = False
    is_staff = False
    is_superuser = False

    def get_username(self) -> str:
        return ""

    def has_role(self, _role: str) -> bool:
        return False

    def has_perm(self, _permission: str, _object: Any = None) -> bool:
        return False

    has_perms = has_perm

    def has_module_perms(self, _label: str) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AnonymousClaimsUser)

    def __hash__(self) -> int:
        return 1

    def __str__(self) -> str:
        return "nobody"
