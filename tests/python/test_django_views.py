"""Middleware and decorators: plain Django views, sync and async."""

import asyncio

import pytest
from django.test import AsyncClient, Client, RequestFactory
from django.http import HttpResponse

from auth_integration.decorators import role_required, token_required
from auth_integration.middleware import CacheUserClaimsMiddleware

MIDDLEWARE = ["auth_integration.middleware.CacheUserClaimsMiddleware"]


def bearer(token):
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


@pytest.mark.parametrize("path", ["/plain/", "/plain-async/"])
def test_decorated_views_answer_for_themselves(api, middleware, path):
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


def test_the_middleware_gives_every_view_the_claims_and_refuses_nobody(api, use):
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


def test_the_middleware_is_a_coroutine_only_where_it_must_be():
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
