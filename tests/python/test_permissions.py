"""Permissions: by role, by claim, and compositions of both. None admits an anonymous request."""

import itertools

import pytest
from django.test import RequestFactory
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission, IsAuthenticated
from rest_framework.response import Response

from auth_integration import permissions
from auth_integration.composition import PermissionMetaclass
from auth_integration.permissions import HasAllRoles, HasAnyRole, HasClaim, HasRole, IsAdminOrDoctor


class ReadOnly(BasePermission):
    def has_permission(self, request, view):
        return request.method in SAFE_METHODS


def status(api, permission, role=None, method="get", **claims):
    """The status of a view with this permission for a user with this role (None: anonymous), and of one that checks it for an object."""

    class View(GenericAPIView):
        permission_classes = [permission]

        def get(self, request):
            return Response()

        post = get

    class ObjectView(View):
        permission_classes = [AllowAny]

        def get(self, request):
            for one in [permission()]:
                if not one.has_object_permission(request, self, object()):
                    self.permission_denied(request)
            return Response()

        post = get

    headers = {} if role is None and not claims else {"HTTP_AUTHORIZATION": f"Bearer {api.issue(role, **claims)}"}
    request = getattr(RequestFactory(), method)
    codes = [view.as_view()(request("/", **headers)).status_code for view in (View, ObjectView)]
    return codes[0] if codes[0] == codes[1] else tuple(codes)


@pytest.mark.parametrize("role,expected", [
    ("rvt", 200), (["rvt"], 200), (["doctor", "rvt"], 200), ("RVT", 403), (" rvt", 403), ("rv", 403), ("rvts", 403), ("", 403), ([], 403),
    ("doctor", 403), (None, 401)])
def test_roles_are_exact_as_a_string_or_in_a_list(api, role, expected):
    assert status(api, HasRole("rvt"), role) == expected


def test_has_any_role_and_is_admin_or_doctor(api):
    for role, expected in (("doctor", 200), ("admin", 200), ("rvt", 403), (None, 401)):
        assert status(api, HasAnyRole("doctor", "admin"), role) == status(api, IsAdminOrDoctor, role) == expected


def test_has_all_roles_asks_for_each_of_them(api):
    for role, expected in ((["doctor", "admin"], 200), (["admin", "x", "doctor"], 200), ("doctor", 403), ([], 403), (None, 401)):
        assert status(api, HasAllRoles("doctor", "admin"), role) == expected
    with pytest.raises(TypeError, match="HasAllRoles needs a role"):
        HasAllRoles()


def test_has_claim_compares_values_and_types(api):
    assert status(api, HasClaim("clinic"), "rvt", clinic="North") == 200
    assert status(api, HasClaim("clinic"), "rvt") == 403
    assert status(api, HasClaim("clinic", "North"), "rvt", clinic="North") == 200
    assert status(api, HasClaim("clinic", "North"), "rvt", clinic=["South", "North"]) == 200
    assert status(api, HasClaim("clinic", "North"), "rvt", clinic="South") == 403
    assert status(api, HasClaim("verified", True), "rvt", verified=1) == 403
    assert status(api, HasClaim("verified", 1), "rvt", verified=True) == 403
    assert status(api, HasClaim("clinic", None), "rvt", clinic=None) == 200
    assert status(api, HasClaim("clinic")) == 401


def test_compositions_follow_boolean_logic(api):
    rvt, doctor = HasRole("rvt"), HasRole("doctor")
    for permission, allowed in [
            (rvt & doctor, [("rvt", "doctor")]), (rvt | doctor, [("rvt",), ("doctor",), ("rvt", "doctor")]),
            (~rvt, [("doctor",), ()]), (rvt & ~doctor, [("rvt",)]), (~(rvt | doctor), [()]), (~~rvt, [("rvt",), ("rvt", "doctor")]),
            (IsAuthenticated & rvt, [("rvt",), ("rvt", "doctor")]), (~(rvt & doctor), [("rvt",), ("doctor",), ()])]:
        for roles in [(), ("rvt",), ("doctor",), ("rvt", "doctor")]:
            assert status(api, permission, list(roles)) == (200 if roles in allowed else 403), (permission, roles)


def test_no_negation_admits_an_anonymous_request(api):
    """Every composition of up to two operations that our side begins or ends, negated once."""
    ours, others = [HasRole("rvt"), HasClaim("clinic"), IsAdminOrDoctor], [HasRole("x"), IsAuthenticated]
    pairs = list(itertools.chain(itertools.product(ours, others), itertools.product(others, ours)))
    for left, right in pairs:
        for composed in (left & right, left | right, ~left & right if left in ours else left & ~right):
            assert status(api, ~composed) == 401, (left, right)
            for more in ((IsAuthenticated & AllowAny) & composed, (~IsAuthenticated | AllowAny) & composed, ~(~IsAuthenticated) & composed):
                assert status(api, ~more) == 401, (left, right)
    for one in ours:
        for permission in (~one, ~~one, ~(~one & ~HasRole("x")), ~(one & HasRole("x") & HasRole("y")), ~(one | ~HasRole("x"))):
            assert status(api, permission) == 401


def test_reading_can_be_open_while_writing_needs_a_role(api):
    for permission in (HasRole("rvt") | ReadOnly, ReadOnly | HasRole("rvt")):
        assert status(api, permission, method="get") in (200, (200, 200))
    assert status(api, HasRole("rvt") | ReadOnly, "rvt", "post") == 200


def test_a_missing_argument_is_a_helpful_error():
    for make, said in [(HasRole, r'write permission_classes = \[HasRole\("rvt"\)\], not \[HasRole\]'), (HasAnyRole, "HasAnyRole needs a role"),
                       (HasClaim, "needs the name of a claim")]:
        with pytest.raises(TypeError, match=said):
            make()
    with pytest.raises(TypeError, match="HasAnyRole"):
        HasRole("rvt", "doctor")
    for wrong in (["rvt"], None, 5, "", b"rvt"):
        with pytest.raises(TypeError, match="non-empty strings"):
            HasRole(wrong)


def test_a_view_with_a_missing_argument_fails_with_that_error(api):
    class View(GenericAPIView):
        permission_classes = [HasRole]

    with pytest.raises(TypeError, match="HasRole needs a role"):
        View.as_view()(RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {api.issue('rvt')}"))


def test_has_role_gives_a_class():
    made = HasRole("rvt")
    assert isinstance(made, type) and issubclass(made, BasePermission) and issubclass(made, permissions.ClaimsPermission)
    assert made is HasRole("rvt") and made is not HasRole("doctor")


def test_permission_classes_hash_compare_and_print_as_classes_do():
    """Whatever REST framework defines for its operands (since 3.15: __eq__ and __hash__)."""
    for made in (HasRole("rvt"), HasRole("rvt") & HasRole("x"), IsAuthenticated | HasRole("rvt"), ~HasRole("rvt"), permissions.ClaimsPermission):
        assert type(made) is PermissionMetaclass and made == made and made != HasRole("another")
        assert hash(made) == type.__hash__(made) and {made: 1}[made] == 1 and repr(made) == type.__repr__(made)
        assert isinstance(made() if made is not permissions.ClaimsPermission else made(), BasePermission)


def test_composing_the_same_classes_again_makes_no_new_class():
    def compose():
        return (HasRole("rvt") | ReadOnly) & ~HasRole("x") & (IsAuthenticated & HasRole("y"))

    assert compose() is compose()
    assert HasRole("rvt") & HasRole("x") is not HasRole("x") & HasRole("rvt")


class OfOwnClinic(permissions.ClaimsPermission):
    required = "OfOwnClinic"

    def allows(self, claims):
        return "clinic" in claims

    def allows_object(self, claims, obj):
        return claims["clinic"] == obj


@pytest.mark.parametrize("permission,clinic,allowed", [
    (OfOwnClinic, "North", True), (OfOwnClinic, "South", False), (~OfOwnClinic, "South", True), (HasRole("rvt") & OfOwnClinic, "South", False),
    (HasRole("doctor") | OfOwnClinic, "North", True), (HasRole("doctor") | OfOwnClinic, "South", False), (OfOwnClinic, None, False)])
def test_a_custom_rule_sees_the_object_and_is_named_in_the_record(api, permission, clinic, allowed):
    from auth_integration.signals import auth_failure

    class StudyView(GenericAPIView):
        permission_classes = [IsAuthenticated]

        def get(self, request):
            if not permission().has_object_permission(request, self, "North"):
                self.permission_denied(request)
            return Response()

    required = []

    def receive(event, **_):
        required.extend(event.required)

    auth_failure.connect(receive)
    claims = {} if clinic is None else {"clinic": clinic}
    answer = StudyView.as_view()(RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {api.issue('rvt', **claims)}"))
    auth_failure.disconnect(receive)
    assert (answer.status_code == 200) == allowed
    assert ("OfOwnClinic" in required) == (not allowed)


def test_another_authenticators_user_has_none_of_our_roles(api):
    class Session:
        roles = ("rvt",)
        is_authenticated = True

    class Request:
        user, auth, _request = Session(), None, RequestFactory().get("/")

    assert not HasRole("rvt")().has_permission(Request, None)


def test_a_denied_request_is_403_with_a_sentence(api):
    response = api.client("rvt").get("/admin-or-doctor/")
    assert response.status_code == 403
    assert "role" in response.json()["detail"]
