"""The authenticator by REST framework's rules, through real views, with a fake Auth API."""

import json
import pickle

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from auth_integration import runtime
from auth_integration.authentication import AuthAPITokenAuthentication
from auth_integration.claims import Claims
from auth_integration.mapping import claims_of
from auth_integration.testing import real_auth_api
from auth_integration.users import ClaimsUser
from clinic import views

CLAIMS = {"id": "user-1", "email": "tess@example.com", "role": "rvt"}


def get(path, header=None, **more):
    if header is not None:
        more["HTTP_AUTHORIZATION"] = header
    return APIClient().get(path, **more)


def test_a_valid_token_makes_the_user_the_claims_and_the_auth(api):
    response = api.client(role="rvt", email="tess@example.com").get("/me/")
    assert response.status_code == 200
    assert response.json() == {"id": "user-1", "email": "tess@example.com", "roles": ["rvt"], "claims": CLAIMS}


def test_django_and_drf_requests_show_the_same_claims(api):
    seen = {}

    class View(views.APIView):
        def get(self, request):
            seen.update(drf=request.user_claims, django=request._request.user_claims, auth=request.auth, user=request._request.user)
            return views.Response()

    request = RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {api.issue('rvt')}")
    assert View.as_view()(request).status_code == 200
    assert seen["drf"] is seen["django"] is seen["auth"]
    assert request.user is seen["user"] and request.user.is_authenticated


def test_the_user_is_stateless_and_hides_nothing(api):
    user = ClaimsUser(claims_of({**CLAIMS, "role": ["rvt", "doctor"]}))
    assert (user.pk, user.id, user.email, user.role, user.roles) == ("user-1", "user-1", "tess@example.com", "rvt", ("rvt", "doctor"))
    assert user.is_authenticated and not user.is_anonymous and not user.is_staff
    for name in ("username", "clinic", "first_name", "save", "groups"):
        with pytest.raises(AttributeError):
            getattr(user, name)
    with pytest.raises(AttributeError):
        user.is_staff = True
    assert user.get_all_permissions() == user.get_group_permissions() == set() and not user.has_perm("x.y")
    assert user == ClaimsUser(claims_of(CLAIMS)) and user != ClaimsUser(claims_of({"id": "user-2"}))
    assert pickle.loads(pickle.dumps(user)).claims == user.claims


def test_claims_are_immutable_and_can_be_dumped_as_json():
    claims = claims_of({**CLAIMS, "clinics": [{"name": "North"}]})
    for change in (lambda: claims.update(role="admin"), lambda: claims.__setitem__("role", "admin"), lambda: claims.pop("role"),
                   lambda: claims["clinics"][0].clear(), lambda: claims["clinics"].append("South"), lambda: claims.setdefault("x", 1),
                   lambda: setattr(claims, "roles", ("admin",)), lambda: claims.__ior__({"role": "admin"})):
        with pytest.raises((TypeError, AttributeError)):
            change()
    assert json.loads(json.dumps(claims)) == {**CLAIMS, "clinics": [{"name": "North"}]}
    assert dict(claims) | {"role": "admin"} != claims
    assert pickle.loads(pickle.dumps(claims)) == claims and pickle.loads(pickle.dumps(claims)).roles == ("rvt",)


def test_repr_of_claims_and_users_shows_no_values():
    claims = claims_of(CLAIMS)
    for text in (repr(claims), str(claims), repr(ClaimsUser(claims)), f"{claims}"):
        assert not any(secret in text for secret in ("tess", "rvt", "user-1")), text


@pytest.mark.parametrize("header", [None, "Basic dXNlcjpwYXNz", "Token abc"])
def test_no_header_or_another_scheme_is_left_to_the_next_authenticator(api, header):
    response = get("/me/", header)
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'
    assert get("/open/", header).json() == {"authenticated": False, "claims": {}}


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer a b", "Bearer tok\xe9n", "Bearer a\0b", "bearer \u2603"])
@pytest.mark.parametrize("path", ["/me/", "/open/", "/plain/"])
def test_a_broken_header_is_401_without_a_lookup(api, header, path):
    response = get(path, header)
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith('Bearer realm="api", error="invalid_token", error_description="')
    assert api.queries == []


@pytest.mark.parametrize("path", ["/me/", "/open/", "/plain/"])
def test_a_token_longer_than_any_is_503_without_a_lookup(api, path):
    """Another login would give the same token: a 401 would start an endless loop."""
    assert get(path, "Bearer " + "x" * 32769).status_code == 503
    assert api.queries == []


@pytest.mark.parametrize("path", ["/me/", "/open/", "/tech/", "/plain/"])
def test_a_rejected_token_is_401_invalid_token(api, path):
    response = get(path, "Bearer unknown")
    assert response.status_code == 401
    assert 'error="invalid_token"' in response["WWW-Authenticate"]


@pytest.mark.parametrize("path", ["/me/", "/open/", "/tech/", "/not-tech/", "/plain/", "/public-tech/", "/public-user/"])
def test_an_outage_is_503_with_retry_after_and_never_401(api, path):
    client = api.client("rvt")
    with api.outage(retry_after_ms=2500):
        response = client.get(path)
    assert response.status_code == 503
    assert response["Retry-After"] == "3"
    assert "WWW-Authenticate" not in response


def test_without_advice_retry_after_is_the_setting(api, use):
    use(RETRY_AFTER=7)
    with api.outage():
        assert get("/me/", "Bearer abc")["Retry-After"] == "7"


def test_no_answer_repeats_the_token(api):
    for header in ("Bearer s3cret", "Bearer s3cret s3cret"):
        response = get("/me/", header)
        assert b"s3cret" not in response.content and "s3cret" not in str(response.headers)


@pytest.mark.parametrize("path,status", [("/me/", 200), ("/me/", 401), ("/open/", 200), ("/plain/", 401)])
def test_every_answer_varies_by_authorization(api, path, status):
    response = api.client("rvt").get(path) if status == 200 else get(path)
    assert response.status_code == status
    assert "Authorization" in [name.strip() for name in response["Vary"].split(",")]


def test_vary_is_added_to_a_view_with_one_renderer_or_its_own_vary(api):
    class View(views.ClinicView):
        renderer_classes = views.ClinicView.renderer_classes[:1]

        def get(self, request):
            return views.Response(headers=own)

    for own, expected in ({}, "Authorization"), ({"Vary": "Cookie"}, "Cookie, Authorization"), ({"Vary": "*"}, "*"):
        response = View.as_view()(RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {api.issue('rvt')}"))
        assert response["Vary"] == expected


@pytest.mark.parametrize("path", ["/me/", "/tech/", "/open/", "/public/", "/plain/", "/plain-async/"])
def test_a_known_token_needs_no_lookup(knowing_api, middleware, path):
    client = knowing_api.client("rvt")
    for _ in range(2):
        response = client.get(path)
        assert response.status_code == 200 and "Authorization" in response["Vary"]
        assert "user-1" in json.dumps(response.json())
    assert client.get("/not-tech/").status_code == 403
    assert knowing_api.queries == []
    assert get(path, "Bearer unknown").status_code in (200, 401)
    assert [query.token for query in knowing_api.queries] == ["unknown"]


def test_a_view_instance_keeps_its_own_finalize_response(knowing_api):
    class View(views.ClinicView):
        def setup(self, *args, **kwargs):
            super().setup(*args, **kwargs)
            self.finalize_response = lambda request, response, *_, **__: views.JsonResponse({"by": "the application"})

    response = View.as_view()(RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {knowing_api.issue('rvt')}"))
    assert json.loads(response.content) == {"by": "the application"}


def test_force_authenticate_works_with_permissions_and_claims(api):
    user = ClaimsUser(claims_of(CLAIMS))
    client = APIClient()
    client.force_authenticate(user=user)
    assert client.get("/tech/").json()["claims"] == CLAIMS
    request = APIRequestFactory().get("/tech/")
    force_authenticate(request, user=user, token=user.claims)
    assert views.TechView.as_view()(request).data["claims"] == CLAIMS
    assert client.get("/admin-or-doctor/").status_code == 403
    assert api.queries == []


def test_the_browsable_api_works(api):
    client = api.client("rvt")
    assert client.get("/me/", HTTP_ACCEPT="text/html").status_code == 200
    assert b"user-1" in client.get("/me/", HTTP_ACCEPT="text/html").content
    assert get("/me/", HTTP_ACCEPT="text/html").status_code == 401
    with api.outage():
        assert client.get("/me/", HTTP_ACCEPT="text/html").status_code == 503
        assert client.get("/public-user/", HTTP_ACCEPT="text/html").status_code == 503


# ---- optional ------------------------------------------------------------------------------------


def test_the_optional_authenticator_serves_every_request(api):
    assert api.client("rvt").get("/public/").json()["authenticated"] is True
    for header in (None, "Bearer unknown", "Bearer a b", "Basic abc"):
        assert get("/public/", header).json() == {"authenticated": False, "claims": {}}
    client = api.client("rvt")
    with api.outage():
        assert client.get("/public/").json() == {"authenticated": False, "claims": {}}


def test_with_the_optional_authenticator_a_denied_request_is_401(api):
    response = get("/public-tech/", "Bearer unknown")
    assert response.status_code == 401 and 'error="invalid_token"' in response["WWW-Authenticate"]
    assert get("/public-tech/")["WWW-Authenticate"] == 'Bearer realm="api"'


# ---- USER_CLASS and USER_RESOLVER ---------------------------------------------------------------


class OwnUser:
    is_authenticated = True

    def __init__(self, claims):
        self.claims = claims
        self.id, self.email, self.roles = claims.id, claims.email, claims.roles
        self.pk = "own-" + claims.id


def resolve(claims):
    return None if claims.get("clinic") == "closed" else OwnUser(claims)


def test_user_class_makes_the_user_for_each_request(api, use):
    use(USER_CLASS=f"{__name__}.OwnUser")
    seen = []

    class View(views.APIView):
        permission_classes = [views.HasRole("rvt")]

        def get(self, request):
            seen.append(request.user)
            return views.Response()

    token = api.issue("rvt")
    for _ in range(2):
        assert View.as_view()(RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {token}")).status_code == 200
    assert type(seen[0]) is OwnUser and seen[0].pk == "own-user-1" and seen[0] is not seen[1]


def test_user_class_and_resolver_apply_to_known_tokens(knowing_api, use):
    use(USER_RESOLVER=resolve)
    request = RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {knowing_api.issue('rvt')}")
    user, claims = AuthAPITokenAuthentication().authenticate(request)
    assert type(user) is OwnUser and user.claims is claims is request.user_claims
    assert knowing_api.client("rvt", clinic="closed").get("/me/").status_code == 401
    assert knowing_api.queries == []


@pytest.mark.parametrize("path", ["/me/", "/plain/", "/plain-async/"])
def test_none_from_the_resolver_is_401(api, use, path):
    use(USER_RESOLVER=resolve)
    assert api.client("rvt", clinic="North").get(path).status_code == 200
    assert api.client("rvt", clinic="closed").get(path).status_code == 401
    assert api.client("rvt", clinic="closed").get("/public/").json()["authenticated"] is False


# ---- cookies -------------------------------------------------------------------------------------


def with_cookie(token, csrf=None, **options):
    client = APIClient(enforce_csrf_checks=True, **options)
    client.cookies["access"] = token
    if csrf:
        client.cookies["csrftoken"] = csrf
    return client


def test_a_cookie_is_ignored_without_the_setting(api):
    assert with_cookie(api.issue("rvt")).get("/me/").status_code == 401


def test_a_token_from_a_cookie_requires_csrf_for_changes(api, use):
    use(COOKIE="access")
    token, csrf = api.issue("rvt"), "a" * 32
    assert with_cookie(token).get("/me/").status_code == 200
    assert "Cookie" in with_cookie(token).get("/me/")["Vary"]
    assert with_cookie(token).post("/me/").status_code == 403
    assert with_cookie(token).post("/plain/").status_code == 403
    assert with_cookie(token, csrf).post("/me/", HTTP_X_CSRFTOKEN=csrf).status_code == 200
    assert with_cookie(token, csrf).post("/plain/", HTTP_X_CSRFTOKEN=csrf).status_code == 200
    assert with_cookie("unknown").get("/me/").status_code == 401


def test_a_header_takes_precedence_over_the_cookie_and_needs_no_csrf(api, use):
    use(COOKIE="access")
    token = api.issue("rvt")
    assert with_cookie("unknown").post("/me/", HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 200
    assert with_cookie(token).get("/me/", HTTP_AUTHORIZATION="Bearer unknown").status_code == 401
    assert with_cookie(token).get("/me/", HTTP_AUTHORIZATION="Bearer").status_code == 401


# ---- settings ------------------------------------------------------------------------------------


def test_settings_are_read_again_when_they_change(use):
    with real_auth_api():
        use(AUTH_API_URL="https://one.example.com")
        assert runtime.current().settings.api_url == "https://one.example.com"
        use(AUTH_API_URL="https://two.example.com/", TRANSPORT="direct", TIMEOUT=1)
        assert runtime.current().settings.api_url == "https://two.example.com"
        assert runtime.current().settings.timeout == 1


@pytest.mark.parametrize("options,said", [
    ({"TIMOUT": 1}, "'TIMEOUT'"), ({"TIMEOUT": "1"}, "must be int or float"), ({"TIMEOUT": 0}, "more than 0"), ({"TRANSPORT": "udp"}, "daemon"),
    ({"MAX_TTL": 301}, "at most 300"), ({"USER_CLASS": "no.such.Class"}, "cannot be imported"), ({"REALM": 'a"b'}, "quotes")])
def test_a_wrong_option_is_named(use, options, said):
    use(**options)
    with pytest.raises(ImproperlyConfigured, match=said):
        runtime.current()


@pytest.mark.parametrize("url,said", [(None, "not set"), ("ftp://x", "http"), ("https://u:p@x", "user"), ("auth.example.com", "http")])
def test_a_wrong_url_is_named(use, url, said):
    use(AUTH_API_URL=url)
    with pytest.raises(ImproperlyConfigured, match=said):
        runtime.current()


def test_authenticate_accepts_a_plain_django_request(api):
    request = RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {api.issue('rvt')}")
    user, claims = AuthAPITokenAuthentication().authenticate(request)
    assert user.role == "rvt" and isinstance(claims, Claims)
