"""An authentication class for each Auth API."""

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import JsonResponse
from django.test import RequestFactory

from auth_integration import checks, runtime
from auth_integration.authentication import AuthAPITokenAuthentication, OptionalAuthAPITokenAuthentication
from auth_integration.decorators import role_required
from auth_integration.identify import identify
from clinic import views

Partners = AuthAPITokenAuthentication.configured(upstream="partners")


class Subclass(AuthAPITokenAuthentication):
    upstream = "partners"


class OptionalPartners(OptionalAuthAPITokenAuthentication):
    upstream = "partners"


@role_required("rvt", upstream="partners")
def plain(request):
    return JsonResponse({"id": request.user.id})


@pytest.fixture
def two(use, faults):
    """Two Auth APIs; only the partners' one confirms tokens."""
    use(AUTH_API_URL=faults.url("401"), TRANSPORT="direct", CACHE=None, UPSTREAMS={"partners": {"AUTH_API_URL": faults.url("echo"), "REALM": "partners"}})
    return faults


def status(authenticator, token="token"):
    class View(views.ClinicView):
        authentication_classes = [authenticator]

    return View.as_view()(RequestFactory().get("/", **({"HTTP_AUTHORIZATION": f"Bearer {token}"} if token else {})))


@pytest.mark.parametrize("authenticator", [Partners, Subclass, OptionalPartners])
def test_a_class_asks_its_own_auth_api(two, middleware, authenticator):
    assert status(AuthAPITokenAuthentication).status_code == 401
    assert two.count("401") == 1 and two.count("echo") == 0
    response = status(authenticator)
    assert response.status_code == 200 and two.count("echo") == 1
    assert 'realm="partners"' in status(authenticator, None)["WWW-Authenticate"]


def test_decorators_and_identify_take_an_upstream(two):
    assert plain(RequestFactory().get("/", HTTP_AUTHORIZATION="Bearer token")).status_code == 200
    assert identify("token", upstream="partners").id


def test_the_same_arguments_make_the_same_class():
    assert AuthAPITokenAuthentication.configured(upstream="partners") is Partners
    assert issubclass(Partners, AuthAPITokenAuthentication) and Partners.upstream == "partners"


def test_an_unknown_upstream_is_an_error_and_never_the_main_auth_api(two):
    with pytest.raises(ImproperlyConfigured, match="UPSTREAMS.*has no Auth API 'customers'"):
        status(AuthAPITokenAuthentication.configured(upstream="customers"))
    assert two.count("401") == 0


def test_a_refusal_is_recorded_at_the_auth_api_that_was_asked(use, claimsd, faults):
    daemon = claimsd(faults.url("echo"), **{"upstream.partners": {"url": faults.url("401")}})
    use(AUTH_API_URL=faults.url("echo"), SOCKET=str(daemon.socket), UPSTREAMS={"partners": {"AUTH_API_URL": faults.url("401")}})
    assert status(Partners).status_code == 401
    assert status(AuthAPITokenAuthentication).status_code == 200
    assert runtime.current("partners") is not runtime.current()


def test_the_checks_look_at_every_auth_api(use):
    use(AUTH_API_URL="https://auth.example.com", UPSTREAMS={"partners": {"AUTH_API_URL": "http://partners.example.com", "TIMOUT": 5}, "empty": {}})
    said = " ".join(problem.msg for problem in checks.check_upstreams())
    assert "plain http" in said and "TIMOUT" in said and "['empty']['AUTH_API_URL'] is not set" in said
