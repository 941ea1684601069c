"""Users made of claims. No database is read or written."""

from typing import Any, NoReturn, Set, Tuple, Union

from auth_integration.claims import Claims


class ClaimsUser:
    """The user of a confirmed token. Immutable; two users with the same id are equal. An attribute that is not listed here does not exist."""

    __slots__ = ("claims", "id", "email", "role", "roles")

    claims: Claims
    id: Union[str, int]  # as in the claims
    email: str
    role: str
    roles: Tuple[str, ...]

    # What Django and REST framework read. No claim makes a user staff: USER_CLASS or USER_RESOLVER may.
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
    def pk(self) -> Union[str, int]:
        return self.id

    def get_username(self) -> str:
        return str(self.id)

    def has_role(self, role: str) -> bool:
        return role in self.roles

    def has_perm(self, _permission: str, _object: Any = None) -> bool:
        return False

    def has_perms(self, permissions: Any, _object: Any = None) -> bool:
        return not list(permissions)

    def has_module_perms(self, _label: str) -> bool:
        return False

    def get_all_permissions(self, _object: Any = None) -> Set[str]:
        return set()

    get_user_permissions = get_group_permissions = get_all_permissions

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ClaimsUser) and other.id == self.id

    def __hash__(self) -> int:
        return hash((ClaimsUser, self.id))

    def __str__(self) -> str:
        return str(self.id)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"  # without claims, because it appears in logs

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.claims,)


class AnonymousClaimsUser:
    """The anonymous user where django.contrib.auth, which has one, is not installed."""

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
        return "anonymous"
