"""The code of a site, for type checkers: SITE has no errors; of SITE_WITH_ERRORS each line in ERRONEOUS_LINES has one."""

SITE = """
from typing import Any, List, Type
from auth_integration.authentication import AuthAPITokenAuthentication
from auth_integration.composition import ComposablePermission
from auth_integration.decorators import confirmed_within, role_required
from auth_integration.identify import identify
from auth_integration.permissions import ClaimsPermission, ConfirmedWithin, HasAllRoles, HasAnyRole, HasRole
from auth_integration.users import ClaimsUser
permission_classes: List[Type[ClaimsPermission]] = [HasRole("rvt"), HasAnyRole("doctor", "admin"), HasAllRoles("a", "b")]
composed: List[Type[ComposablePermission]] = [HasRole("rvt") & ~HasRole("x") | ConfirmedWithin(30)]
partners: Type[AuthAPITokenAuthentication] = AuthAPITokenAuthentication.configured(upstream="partners")
@role_required("rvt")
def view(request: Any) -> str:
    user: ClaimsUser = request.user
    return user.email
@confirmed_within(0)
async def sensitive(request: Any) -> int:
    return 5
text: str = view(None)
email: str = identify("token", max_age=0).email
"""
WRONG = ["number: int = HasRole('a') & HasRole('b')", "number: int = HasRole('a') | HasRole('b')", "number: int = ~HasRole('a')",
         "number: int = HasRole('a') & ~HasRole('b') | HasRole('c')", "number: int = view(None)", "HasRole(5)", "number: int = partners"]
SITE_WITH_ERRORS = SITE + "\n".join(WRONG) + "\n"
ERRONEOUS_LINES = set(range(SITE.count("\n") + 1, SITE.count("\n") + 1 + len(WRONG)))
