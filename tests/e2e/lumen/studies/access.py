"""The permissions of Lumen, all in one place. Views name these lists; the front end only displays
what they allow.

| role | worklist | reports | overview |
|---|---|---|---|
| rvt | studies to examine or examined, own clinic | reads; writes findings | |
| doctor | studies to read or signed, own clinic | reads; signs | reads |
| admin | all of both clinics | reads | reads |
| receptionist | appointments of the own clinic, without clinical data | | |
"""

from auth_integration.permissions import ClaimsPermission, HasAnyRole, HasRole, IsAdminOrDoctor


class OfOwnClinic(ClaimsPermission):
    """Studies of the clinic named in the claims; for an admin, all."""

    required = "OfOwnClinic"
    message = "This study belongs to another clinic."

    def allows(self, claims):
        return "admin" in claims.roles or "clinic" in claims

    def allows_object(self, claims, study):
        return "admin" in claims.roles or claims["clinic"] == study.clinic


# Each is a list of permission_classes: all must allow; the first that does not gives the reason.
MAY_SEE_WORKLIST = [HasAnyRole("rvt", "doctor", "admin", "receptionist")]
MAY_READ_REPORT = [HasAnyRole("rvt", "doctor", "admin"), OfOwnClinic]
MAY_WRITE_FINDINGS = [HasRole("rvt"), OfOwnClinic]
MAY_SIGN = [HasRole("doctor"), OfOwnClinic]
MAY_SEE_OVERVIEW = [IsAdminOrDoctor]


def allows(permission_classes, request, study=None):
    """Whether they allow this request; decides what a page offers."""
    asked = [permission() for permission in permission_classes]
    return all(one.has_permission(request, None) and (study is None or one.has_object_permission(request, None, study)) for one in asked)
