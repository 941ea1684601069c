"""Middleware and decorators: plain Django views, sync and async."""

import asyncio
import sys
import types

import pytest
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.test import AsyncClient, AsyncRequestFactory, Client, RequestFactory
from rest_framework import exceptions

from auth_integration.decorators import role_required, token_required
from auth_integration.middleware import CacheUserClaimsMiddleware

MIDDLEWARE = ["auth_integration.middleware.CacheUserClaimsMiddleware"]


def bearer(token):
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


@pytest.mark.parametrize("path", ["/plain/", "/plain-async/"])
def test_decorated_views_answer_401_403_and_503(api, middleware, path):
    client, token = Client(), api.issue("rvt")
    assert client.get(path, **bearer(token)).json()["roles"] == ["rvt"]
    assert client.get(path).status_code == 401
    assert client.get(path)["WWW-Authenticate"] == 'Bearer realm="api"'
    assert client.get(path, **bearer("unknown")).status_code == 401
    with api.outage(retry_after_ms=4000):
        response = client.get(path, **bearer(token))
    assert (response.status_code, response["Retry-After"]) == (503, "4")
    assert client.get("/plain/", **bearer(api.issue("receptionist"))).status_code == 403


def test_under_asgi_too(api, middleware):
    async def ask():
        client, token = AsyncClient(), api.issue("rvt")
        for path in ("/plain/", "/plain-async/", "/me/"):
            assert (await client.get(path, AUTHORIZATION=f"Bearer {token}")).json()["id"] == "user-1"
            assert (await client.get(path)).status_code == 401
        if middleware:
            assert (await client.get("/unguarded-async/", AUTHORIZATION=f"Bearer {token}")).json()["claims"]["id"] == "user-1"

    asyncio.run(ask())


def test_async_responses_vary_by_authorization(api, middleware):
    async def varies(path, **header):
        return [name.strip() for name in (await AsyncClient().get(path, **header))["Vary"].split(",")]

    async def ask():
        for path in ("/plain-async/", *(["/unguarded-async/"] if middleware else [])):
            for header in ({}, {"AUTHORIZATION": f"Bearer {api.issue('rvt')}"}, {"AUTHORIZATION": "Bearer unknown"}):
                assert "Authorization" in await varies(path, **header)
            with api.outage():
                assert "Authorization" in await varies(path, AUTHORIZATION=f"Bearer {api.issue('rvt')}")

    asyncio.run(ask())


def test_the_middleware_gives_every_view_the_claims_and_refuses_no_request(api, use):
    use(MIDDLEWARE=MIDDLEWARE)
    client, token = Client(), api.issue("rvt")
    assert client.get("/unguarded/", **bearer(token)).json()["claims"]["role"] == "rvt"
    for header in ({}, bearer("unknown"), {"HTTP_AUTHORIZATION": "Bearer"}):
        response = client.get("/unguarded/", **header)
        assert (response.status_code, response.json()) == (200, {"claims": {}})
        assert "Authorization" in response["Vary"]
    with api.outage():
        assert client.get("/unguarded/", **bearer(token)).json() == {"claims": {}}


@pytest.mark.parametrize("path", ["/me/", "/plain/", "/plain-async/", "/tech/", "/open/"])
def test_middleware_and_view_ask_once(api, use, path):
    use(MIDDLEWARE=MIDDLEWARE * 2)
    Client().get(path, **bearer(api.issue("rvt")))
    assert len(api.queries) == 1


def test_the_middleware_is_a_coroutine_only_if_the_next_one_is():
    async def asynchronous(_):
        return HttpResponse()

    assert asyncio.iscoroutinefunction(CacheUserClaimsMiddleware(asynchronous))
    assert not asyncio.iscoroutinefunction(CacheUserClaimsMiddleware(lambda _: HttpResponse()))


def test_decorators_need_their_roles():
    for wrong in (lambda: role_required(), lambda: role_required(lambda request: None), lambda: role_required(["rvt"])):
        with pytest.raises(TypeError, match="role_required"):
            wrong()


def test_a_decorated_view_keeps_its_name_and_its_arguments(api):
    @token_required
    def report(request, number, *, kind):
        """Of a patient."""
        return HttpResponse(f"{number}{kind}{request.user.pk}")

    assert report.__name__ == "report" and report.__doc__ == "Of a patient."
    request = RequestFactory().get("/", **bearer(api.issue("rvt")))
    assert report(request, 5, kind="x").content == b"5xuser-1"


# ---- login_required ------------------------------------------------------------------------------


@pytest.fixture
def login_page(monkeypatch):
    """The clinic has no django.contrib.auth, whose views the redirect to the login page is imported from."""
    module = types.ModuleType("django.contrib.auth.views")
    module.redirect_to_login = lambda *_: HttpResponse(status=302)
    monkeypatch.setitem(sys.modules, module.__name__, module)


@login_required(login_url="/login/")
def private(request):
    return HttpResponse(f"{request.user.pk}")


def private_response(request):
    return CacheUserClaimsMiddleware(private)(request)


def test_login_required_sees_the_user_of_the_middleware(api, login_page):
    assert private_response(RequestFactory().get("/", **bearer(api.issue("rvt")))).content == b"user-1"
    for headers in ({}, bearer("unknown")):
        assert private_response(RequestFactory().get("/", **headers)).status_code == 302
    with api.outage():
        assert private_response(RequestFactory().get("/", **bearer("x"))).status_code == 302


def test_a_sessions_user_stays_if_there_is_no_token(api):
    request = RequestFactory().get("/")
    request.user = type("SessionUser", (), {"is_authenticated": True, "pk": "session"})()
    assert private_response(request).content == b"session"
    request = RequestFactory().get("/", **bearer(api.issue("rvt")))
    request.user = type("SessionUser", (), {"is_authenticated": True, "pk": "session"})()
    assert private_response(request).content == b"user-1"


def test_auser_is_the_same_user(api, use):
    async def view(request):
        return HttpResponse(f"{(await request.auser()).pk} {request.user.pk}")

    def get():
        return asyncio.run(CacheUserClaimsMiddleware(view)(AsyncRequestFactory().get("/", AUTHORIZATION=f"Bearer {api.issue('rvt')}"))).content

    assert get() == b"user-1 user-1"
    use(USER_RESOLVER=lambda claims: type("Resolved", (), {"is_authenticated": True, "pk": f"resolved-{claims.id}"})())
    assert get() == b"resolved-user-2 resolved-user-2"


def test_the_resolver_is_called_only_if_a_view_looks_at_the_user(api, use, login_page):
    called = []
    use(USER_RESOLVER=called.append)
    assert CacheUserClaimsMiddleware(lambda _: HttpResponse())(RequestFactory().get("/", **bearer(api.issue("rvt")))).status_code == 200
    assert called == []
    assert private_response(RequestFactory().get("/", **bearer(api.issue("rvt")))).status_code == 302
    assert len(called) == 1


def test_a_cookie_makes_no_user_for_a_forged_request(api, use, login_page):
    use(COOKIE="access")
    for method, status in (("get", 200), ("post", 302)):
        request = getattr(RequestFactory(enforce_csrf_checks=True), method)("/", HTTP_COOKIE=f"access={api.issue('rvt')}")
        request._dont_enforce_csrf_checks = False
        assert private_response(request).status_code == status


# ---- USER_RESOLVER -------------------------------------------------------------------------------


@pytest.mark.parametrize("problem,status", [
    (exceptions.AuthenticationFailed("no such user"), 401), (exceptions.PermissionDenied("left the clinic"), 403), (exceptions.Throttled(wait=5), 429)])
@pytest.mark.parametrize("path", ["/me/", "/plain/", "/plain-async/"])
def test_an_api_exception_of_the_resolver_is_answered_alike_everywhere(api, use, path, problem, status):
    def resolve(claims):
        raise problem

    use(USER_RESOLVER=resolve)
    response = Client().get(path, **bearer(api.issue("rvt")))
    assert response.status_code == status and response.json()["detail"] == problem.detail
    assert response.has_header("WWW-Authenticate") == (status == 401) and response.has_header("Retry-After") == (status == 429)


@pytest.mark.parametrize("path", ["/me/", "/plain/", "/plain-async/"])
def test_another_exception_of_the_resolver_is_an_error_everywhere(api, use, path):
    def resolve(claims):
        raise AttributeError("a bug")

    use(USER_RESOLVER=resolve)
    assert Client(raise_request_exception=False).get(path, **bearer(api.issue("rvt"))).status_code == 500


@pytest.mark.parametrize("path", ["/me/", "/plain/"])
def test_an_integer_id_stays_one(api, path):
    body = api.client("rvt", id=7).get(path).json()
    assert body["id"] == 7 and body["claims"]["id"] == 7
