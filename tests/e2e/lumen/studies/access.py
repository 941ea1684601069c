"""Who may do what in Lumen: the one place that says so. Views name these lists; the front end is told what they allow, and decides nothing.

| role | worklist | reports | overview |
|---|---|---|---|
| rvt | what is to be examined, and was, in the own clinic | reads; writes findings | |
| doctor | what is to be read, and was signed, in the own clinic | reads; signs | reads |
| admin | all of both clinics | reads | reads |
| receptionist | the own clinic's appointments, without anything clinical | | |
"""

from auth_integration.permissions import ClaimsPermission, HasAnyRole, HasRole, IsAdminOrDoctor


class OfOwnClinic(ClaimsPermission):
    """Studies of the clinic that the claims name; an admin's are all of them."""

    required = "OfOwnClinic"
    message = "This study belongs to another clinic."

    def allows(self, claims):
        return "admin" in claims.roles or "clinic" in claims

    def allows_object(self, claims, study):
        return "admin" in claims.roles or claims["clinic"] == study.clinic


# Each a list of permission_classes: all of them must allow, and the one that does not says why.
MAY_SEE_WORKLIST = [HasAnyRole("rvt", "doctor", "admin", "receptionist")]
MAY_READ_REPORT = [HasAnyRole("rvt", "doctor", "admin"), OfOwnClinic]
MAY_WRITE_FINDINGS = [HasRole("rvt"), OfOwnClinic]
MAY_SIGN = [HasRole("doctor"), OfOwnClinic]
MAY_SEE_OVERVIEW = [IsAdminOrDoctor]


def allows(permission_classes, request, study=None):
    """Whether they let this request in; for what a page offers."""
    asked = [permission() for permission in permission_classes]
    return all(one.has_permission(request, None) and (study is None or one.has_object_permission(request, None, study)) for one in asked)
