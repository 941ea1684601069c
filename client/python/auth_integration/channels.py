"""Middleware for Django Channels. Sets `scope["user"]`, `scope["user_claims"]` and, if there are no claims, `scope["auth_answer"]` with the reason.

    application = ProtocolTypeRouter({
        "http": get_asgi_application(),
        "websocket": AllowedHostsOriginValidator(ClaimsAuthMiddleware(URLRouter(urls), roles=["rvt"])),
    })

The token comes from the Authorization header, otherwise from a subprotocol (`subprotocols=True`), otherwise from the COOKIE of the settings. Browsers
cannot set headers on a WebSocket. With a cookie, check the origin as above. With a subprotocol, offer the token beside the application's subprotocol,
which the server then selects:

    new WebSocket(url, ["live", "bearer." + token])        // a token with other characters: "bearer.base64url." + its base64url encoding

A token in the query string is not read: URLs are logged by servers and proxies, and kept in the browser's history. With `required` (the default) a
WebSocket without a valid token, or without one of `roles`, is closed before it is accepted, with code 4401, 4403 or 4503, and recorded like a request.
"""

import base64
import binascii
from http.cookies import CookieError, SimpleCookie
from typing import Any, Awaitable, Callable, Dict, Iterable, List, Optional, Tuple

from asgiref.sync import sync_to_async
from rest_framework.exceptions import APIException

from auth_integration import audit
from auth_integration.claims import NO_CLAIMS
from auth_integration.events import AuthFailure
from auth_integration.identify import _failed, make_user
from auth_integration.permissions import _check_roles
from auth_integration.reasons import INVALID, Answer, answer_of
from auth_integration.runtime import Runtime, current
from auth_integration.transports.base import bearer_of
from auth_integration.users import AnonymousClaimsUser

CLOSE_CODES = 4000  # plus the HTTP status
UNAUTHENTICATED, DENIED, UNAVAILABLE = 4401, 4403, 4503
SUBPROTOCOL, ENCODED = "bearer.", "bearer.base64url."
SUBPROTOCOL_HEADER = b"sec-websocket-protocol"
Application = Callable[[Dict[str, Any], Any, Any], Awaitable[None]]


class ClaimsAuthMiddleware:
    def __init__(self, inner: Application, *, required: bool = True, roles: Iterable[str] = (), subprotocols: bool = False, upstream: str = "") -> None:
        if isinstance(roles, str):
            raise TypeError(f"ClaimsAuthMiddleware takes a list of roles, as roles=[{roles!r}]")
        self.inner = inner
        self.roles = frozenset(roles)
        self.required = required or bool(self.roles)
        self.subprotocols = subprotocols
        self.upstream = upstream
        if self.roles:
            _check_roles("ClaimsAuthMiddleware", tuple(self.roles))

    async def __call__(self, scope: Dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return await self.inner(scope, receive, send)
        runtime = current(self.upstream)
        scope, offered = _without_tokens(scope)
        token = self._token_of(scope, offered, runtime)
        code = await self._identify(scope, token, runtime)
        if code is not None and self.required:
            await receive()  # websocket.connect
            await self._record(scope, token, code, runtime)
            return await send({"type": "websocket.close", "code": code})
        return await self.inner(scope, receive, _selecting(send, scope["subprotocols"]) if self.subprotocols and offered is not None else send)

    def _token_of(self, scope: Dict[str, Any], offered: Optional[str], runtime: Runtime) -> Any:
        """The token, None, or an Answer if the header is broken."""
        token = bearer_of(_meta_of(scope))
        if token is None and self.subprotocols:
            token = offered
        return _cookie_of(scope, runtime) if token is None else token

    async def _identify(self, scope: Dict[str, Any], token: Any, runtime: Runtime) -> Optional[int]:
        """Fills in the scope. Returns the code to close with if there are no claims, or not the required role."""
        scope.update(user=AnonymousClaimsUser(), user_claims=NO_CLAIMS, auth_answer=None)
        found: Any = token
        if isinstance(token, str):
            try:
                found = await runtime.transport.identify_token_async(token, _meta_of(scope), None)
            except Exception as error:
                found = _failed(error)
        user = found
        if type(found) is tuple:
            user = await sync_to_async(_user_of)(runtime, found) if runtime.settings.user_resolver else _user_of(runtime, found)
        if user is None or isinstance(user, Answer) or type(found) is not tuple:
            scope["auth_answer"] = user
            return UNAUTHENTICATED if user is None or user.verdict == INVALID else UNAVAILABLE
        scope.update(user=user, user_claims=found[1])
        return DENIED if self.roles and self.roles.isdisjoint(found[1].roles) else None

    async def _record(self, scope: Dict[str, Any], token: Any, code: int, runtime: Runtime) -> None:
        """Records the refusal (audit.py). The route is not known here."""
        meta, answer = _meta_of(scope), scope["auth_answer"]
        required = (f"ClaimsAuthMiddleware({', '.join(sorted(self.roles))})",) if code == DENIED else ()
        reason = answer.reason if answer is not None else "denied" if code == DENIED else "no_token"
        user_id = getattr(scope["user"], "id", None)
        event = AuthFailure(code - CLOSE_CODES, reason, meta["REQUEST_METHOD"], "", required, "" if user_id is None else str(user_id),
                            audit.address_of(meta, "REMOTE_ADDR"), audit.detail_of(answer))
        await audit.conclude_connection(event, token if isinstance(token, str) else None, _header_of(scope, b"traceparent"), runtime)


class _Holder:
    """Takes the place of a request in make_user()."""

    user_claims: Any = None


def _user_of(runtime: Runtime, found: Any) -> Any:
    try:
        return make_user(_Holder(), runtime, found)
    except APIException as problem:  # of USER_RESOLVER
        return answer_of("rejected" if problem.status_code < 500 else "internal")


# ---- the scope -----------------------------------------------------------------------------------


def _without_tokens(scope: Dict[str, Any]) -> Tuple[Dict[str, Any], Optional[str]]:
    """Returns a copy of the scope without the tokens among its subprotocols, and the first token. The application can then neither select nor log one."""
    offered: List[str] = list(scope.get("subprotocols", ()))
    kept = [name for name in offered if not name.startswith(SUBPROTOCOL)]
    headers = [(name, b", ".join(one.encode() for one in kept) if name.lower() == SUBPROTOCOL_HEADER else value)
               for name, value in scope.get("headers", ())]
    tokens = [_decoded(name) for name in offered if name.startswith(SUBPROTOCOL)]
    return {**scope, "subprotocols": kept, "headers": headers}, tokens[0] if tokens else None


def _decoded(name: str) -> str:
    """The token in the name of a subprotocol. A malformed encoding gives a text that is not a token."""
    if not name.startswith(ENCODED):
        return name[len(SUBPROTOCOL):]
    text = name[len(ENCODED):]
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""


def _selecting(send: Any, kept: List[str]) -> Any:
    """Browsers drop a connection for which no subprotocol is selected: selects the first one, if the application does not."""
    async def sending(message: Dict[str, Any]) -> None:
        if message["type"] == "websocket.accept" and not message.get("subprotocol") and kept:
            message = {**message, "subprotocol": kept[0]}
        await send(message)

    return sending


def _header_of(scope: Dict[str, Any], name: bytes) -> Optional[str]:
    """Repeated headers are joined, as WSGI servers do, so two tokens are none."""
    values = [value for key, value in scope.get("headers", ()) if key.lower() == name]
    return b",".join(values).decode("latin-1") if values else None


def _meta_of(scope: Dict[str, Any]) -> Dict[str, Any]:
    client = scope.get("client")
    meta = {"REQUEST_METHOD": "WEBSOCKET", "REMOTE_ADDR": client[0] if client else None}
    header = _header_of(scope, b"authorization")
    if header is not None:
        meta["HTTP_AUTHORIZATION"] = header
    return meta


def _cookie_of(scope: Dict[str, Any], runtime: Runtime) -> Optional[str]:
    if runtime.settings.cookie is None:
        return None
    cookies: Any = SimpleCookie()
    try:
        cookies.load((_header_of(scope, b"cookie") or "").replace(",", ";"))
    except CookieError:
        return None
    found = cookies.get(runtime.settings.cookie)
    return None if found is None else str(found.value)
