"""Django Channels: the user of a WebSocket."""

import asyncio
import base64

import pytest
from rest_framework.exceptions import AuthenticationFailed
from channels.testing import WebsocketCommunicator

from auth_integration.channels import ClaimsAuthMiddleware


async def echo_user(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    await receive()
    await send({"type": "websocket.send", "text": f"{scope['user'].pk} {scope['user_claims'].get('role')}"})


def connect(headers=(), offered=None, selected=None, inner=echo_user, **options):
    """Returns the text that the inner application sent, or the close code. Appends the subprotocol to `selected`."""
    async def run():
        communicator = WebsocketCommunicator(ClaimsAuthMiddleware(inner, **options), "/live/", headers=list(headers), subprotocols=offered)
        connected, code = await communicator.connect()
        if not connected:
            return code
        if selected is not None:
            selected.append(code)
        await communicator.send_to(text_data="?")
        said = await communicator.receive_from()
        await communicator.disconnect()
        return said

    return asyncio.run(run())


def bearer(token):
    return [(b"authorization", f"Bearer {token}".encode())]


def test_a_valid_token_opens_the_connection(api):
    assert connect(bearer(api.issue("rvt"))) == "user-1 rvt"


def test_a_missing_rejected_or_unchecked_token_closes_the_connection(api):
    assert connect() == 4401
    assert connect(bearer("unknown")) == 4401
    assert connect([(b"authorization", b"Bearer a b")]) == 4401
    token = api.issue("rvt")
    assert connect(bearer(token) + bearer(token)) == 4401
    with api.outage():
        assert connect(bearer(token)) == 4503


def test_a_missing_role_closes_the_connection(api):
    assert connect(bearer(api.issue("rvt")), roles=["rvt", "doctor"]) == "user-1 rvt"
    assert connect(bearer(api.issue("receptionist")), roles=["rvt"]) == 4403
    assert connect(roles=["rvt"], required=False) == 4401
    with pytest.raises(TypeError):
        ClaimsAuthMiddleware(echo_user, roles="rvt")


def test_without_required_anonymous_connections_open(api):
    assert connect(required=False) == "None None"
    assert connect(bearer("unknown"), required=False) == "None None"


def test_with_the_setting_a_cookie_carries_the_token(api, use):
    token = api.issue("rvt")
    headers = [(b"cookie", f"a=b; access={token}".encode())]
    assert connect(headers) == 4401
    use(COOKIE="access")
    assert connect(headers) == "user-1 rvt"
    assert connect([(b"cookie", b"access=unknown")]) == 4401


def test_a_subprotocol_may_carry_the_token(api):
    token = api.issue("rvt")
    encoded = "bearer.base64url." + base64.urlsafe_b64encode(token.encode()).decode().rstrip("=")
    for name in (f"bearer.{token}", encoded):
        selected = []
        assert connect(offered=["live", name], selected=selected, subprotocols=True) == "user-1 rvt"
        assert selected == ["live"]  # a browser needs one to be selected, and it is not the token
        assert connect(offered=["live", name]) == 4401  # only where it is switched on
    assert connect(offered=["live", "bearer.unknown"], subprotocols=True) == 4401
    assert connect(offered=["live", "bearer.base64url.!!"], subprotocols=True) == 4401
    assert connect(bearer("unknown"), offered=["live", f"bearer.{token}"], subprotocols=True) == 4401  # the header comes first
    assert connect(offered=["live"], subprotocols=True) == 4401


@pytest.mark.parametrize("subprotocols", [True, False])
def test_the_application_never_sees_a_token_among_the_subprotocols(api, subprotocols):
    seen, token = {}, api.issue("rvt")

    async def inner(scope, receive, send):
        seen.update(scope)
        await receive()
        await send({"type": "websocket.accept", "subprotocol": scope["subprotocols"][-1]})
        await receive()
        await send({"type": "websocket.send", "text": "ok"})

    selected = []
    headers = [(b"sec-websocket-protocol", f"a, b, bearer.{token}".encode())]
    assert connect(headers, offered=["a", "b", f"bearer.{token}"], selected=selected, inner=inner, subprotocols=subprotocols, required=False) == "ok"
    assert selected == ["b"] and seen["subprotocols"] == ["a", "b"]
    assert token not in str([value for name, value in seen.items() if name in ("headers", "subprotocols")])


def test_a_token_in_the_query_string_is_not_read(api):
    async def run():
        communicator = WebsocketCommunicator(ClaimsAuthMiddleware(echo_user, subprotocols=True), f"/live/?token={api.issue('rvt')}")
        return await communicator.connect()

    assert asyncio.run(run()) == (False, 4401)
    assert api.queries == []


def test_a_resolver_that_raises_closes_the_connection(api, use):
    def resolve(claims):
        raise AuthenticationFailed("no such user")

    use(USER_RESOLVER=resolve)
    assert connect(bearer(api.issue("rvt"))) == 4401


def test_none_from_the_resolver_closes_the_connection(api, use):
    use(USER_RESOLVER=lambda claims: None)
    assert connect(bearer(api.issue("rvt"))) == 4401


def test_http_passes_through(api):
    seen = []

    async def inner(scope, receive, send):
        seen.append(scope)

    scope = {"type": "http"}
    asyncio.run(ClaimsAuthMiddleware(inner)(scope, None, None))
    assert seen == [scope] and seen[0] is scope


def test_a_refused_connection_is_recorded_like_a_refused_request(api):
    token = api.issue("receptionist")
    assert connect(bearer(token), roles=["rvt", "doctor"]) == 4403
    assert connect() == 4401
    with api.outage():
        assert connect(bearer(token)) == 4503
    assert connect(bearer(token)) == "user-1 receptionist"
    events = [report.event for report in api.reports]
    assert [(event.status, event.reason, event.method, event.user_id, event.required) for event in events] == [
        (403, "denied", "WEBSOCKET", "user-1", ("ClaimsAuthMiddleware(doctor, rvt)",)), (401, "no_token", "WEBSOCKET", "", ()),
        (503, "upstream_connect", "WEBSOCKET", "", ())]
    assert [report.token for report in api.reports] == [token, None, token]
    assert {event.client_address for event in events} <= {"", "127.0.0.1"}
