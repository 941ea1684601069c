"""max_age: sensitive views, and identify() outside a request."""

import asyncio

import pytest
from django.http import JsonResponse
from django.test import AsyncRequestFactory, RequestFactory
from rest_framework.response import Response

from auth_integration.decorators import confirmed_within
from auth_integration.exceptions import AuthenticationUnavailable, InvalidToken
from auth_integration.identify import identify, identify_async
from auth_integration.permissions import ConfirmedWithin, HasRole
from clinic import views


class PrescribeView(views.ClinicView):
    permission_classes = [ConfirmedWithin(30) & HasRole("doctor")]


@confirmed_within(30)
def prescribe(request):
    return JsonResponse({"id": request.user.id, "roles": list(request.user.roles)})


@confirmed_within(0)
async def prescribe_async(request):
    return JsonResponse({"id": request.user.id, "roles": list(request.user.roles)})


def call(view, token=None):
    headers = {} if token is None else {"HTTP_AUTHORIZATION": f"Bearer {token}"}
    if view is PrescribeView:
        return PrescribeView.as_view()(RequestFactory().get("/", **headers)).render()
    if view is prescribe_async:
        return asyncio.run(view(AsyncRequestFactory().get("/", **({} if token is None else {"AUTHORIZATION": f"Bearer {token}"}))))
    return view(RequestFactory().get("/", **headers))


@pytest.mark.parametrize("view,max_age", [(PrescribeView, 30), (prescribe, 30), (prescribe_async, 0)])
def test_a_sensitive_view_asks_with_max_age(knowing_api, view, max_age):
    token = knowing_api.issue("doctor")
    assert call(view, token).status_code == 200
    assert [query.max_age for query in knowing_api.queries] == [max_age]


@pytest.mark.parametrize("view", [PrescribeView, prescribe, prescribe_async])
def test_a_sensitive_view_ignores_cached_answers(api, view):
    class StaleApi(type(api)):
        """This process still knows a token that the Auth API now rejects."""

        def known(self, meta):
            from auth_integration.transports.base import identity_of
            return identity_of(stale)

    token = api.issue("doctor")
    stale = api._users[token]
    with StaleApi() as fake:
        assert call(view, token).status_code == 401
        assert 'error="invalid_token"' in call(view, token)["WWW-Authenticate"]
        with fake.outage():
            response = call(view, token)
            assert response.status_code == 503 and int(response["Retry-After"]) >= 1
        fake._users[token] = stale
        with fake.override_claims(token, role="receptionist"):
            assert call(view, token).status_code == (403 if view is PrescribeView else 200)


@pytest.mark.parametrize("view", [PrescribeView, prescribe, prescribe_async])
def test_without_a_token_a_sensitive_view_answers_401(api, view):
    assert call(view).status_code == 401
    assert call(view, "unknown").status_code == 401


def test_an_outage_of_the_confirmation_matters_only_if_the_other_operand_denies(knowing_api):
    class View(views.ClinicView):
        permission_classes = [ConfirmedWithin(0) | HasRole("admin")]

        def get(self, request):
            return Response()

    for role, status in (("admin", 200), ("rvt", 503)):
        token = knowing_api.issue(role)
        with knowing_api.outage():
            assert View.as_view()(RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {token}")).status_code == status


@pytest.mark.parametrize("wrong", [-1, "30", None, True, float("nan"), 10**9])
def test_max_age_is_a_number_of_seconds(wrong):
    with pytest.raises(TypeError, match="takes a number of seconds"):
        ConfirmedWithin(wrong)
    with pytest.raises(TypeError, match="takes a number of seconds"):
        confirmed_within(wrong)


def test_identify_returns_claims_or_raises(api):
    token = api.issue("rvt", email="tess@example.com")
    assert identify(token).email == "tess@example.com" and identify(token).roles == ("rvt",)
    assert asyncio.run(identify_async(token)) == identify(token)
    for broken in ("unknown", "a b", ""):
        with pytest.raises(InvalidToken):
            identify(broken)
    with api.outage(retry_after_ms=2500), pytest.raises(AuthenticationUnavailable) as caught:
        identify(token)
    assert caught.value.wait == 3
    identify(token, max_age=0)
    assert api.queries[-1].max_age == 0


def test_after_a_logout_a_lookup_with_max_age_0_removes_the_token_from_every_worker(claimsd, faults, use):
    """The daemon queries the Auth API, receives 401, and purges the token for all processes of the host."""
    mode = faults.script("logout", {}, {"status": 401})
    daemon = claimsd(faults.url(mode), cache={"max_ttl": "300s"})
    use(AUTH_API_URL=faults.url(mode), SOCKET=str(daemon.socket))
    assert identify("token") == identify("token")
    with pytest.raises(InvalidToken):
        identify("token", max_age=0)
    with pytest.raises(InvalidToken):
        identify("token")
    assert faults.count(mode) == 2


def test_max_age_works_on_an_event_loop_and_with_the_direct_transport(claimsd, faults, use):
    daemon = claimsd(faults.url("echo"))
    use(AUTH_API_URL=faults.url("echo"), SOCKET=str(daemon.socket))

    async def story():
        return [(await identify_async("token", max_age=age)).id for age in (None, 0, 60)]

    assert len(set(asyncio.run(story()))) == 1
    assert faults.count("echo") == 2
    faults.reset()
    use(AUTH_API_URL=faults.url("echo"), TRANSPORT="direct")
    assert identify("other", max_age=0).id == identify("other").id == identify("other", max_age=0).id
    assert faults.count("echo") == 2
