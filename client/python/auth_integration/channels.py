"""For Django Channels: `scope["user"]`, `scope["user_claims"]` and, where there are none, `scope["auth_answer"]` (why).

    application = ProtocolTypeRouter({
        "http": get_asgi_application(),
        "websocket": AllowedHostsOriginValidator(ClaimsAuthMiddleware(URLRouter(urls), roles=["rvt"])),
    })

The token comes from the Authorization header, or from the COOKIE of the settings (browsers cannot set headers on a WebSocket; then check the origin,
as above). Never from the URL, which is logged. With `required` (the default) a WebSocket without a valid token, or without one of `roles`, is closed
before it is accepted, with code 4401, 4403 or 4503, and recorded as a refused request is.
"""

from http.cookies import CookieError, SimpleCookie
from typing import Any, Awaitable, Callable, Dict, Iterable, Optional

from asgiref.sync import sync_to_async

from auth_integration import audit
from auth_integration.claims import NO_CLAIMS
from auth_integration.identify import make_user
from auth_integration.permissions import _check_roles
from auth_integration.reasons import INVALID, Answer
from auth_integration.runtime import Runtime, current
from auth_integration.state import RequestState
from auth_integration.transports.base import bearer_of
from auth_integration.users import AnonymousClaimsUser

CLOSE_CODES = 4000  # and the status of HTTP
UNAUTHENTICATED, DENIED, UNAVAILABLE = 4401, 4403, 4503
Application = Callable[[Dict[str, Any], Any, Any], Awaitable[None]]


class ClaimsAuthMiddleware:
    def __init__(self, inner: Application, *, required: bool = True, roles: Iterable[str] = ()) -> None:
        if isinstance(roles, str):
            raise TypeError(f"ClaimsAuthMiddleware takes a list of roles, as roles=[{roles!r}]")
        self.inner = inner
        self.roles = frozenset(roles)
        self.required = required or bool(self.roles)
        if self.roles:
            _check_roles("ClaimsAuthMiddleware", tuple(self.roles))

    async def __call__(self, scope: Dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return await self.inner(scope, receive, send)
        scope = dict(scope)
        code = await self._identify(scope)
        if code is not None and self.required:
            await receive()  # websocket.connect
            await self._record(scope, code)
            return await send({"type": "websocket.close", "code": code})
        return await self.inner(scope, receive, send)

    async def _record(self, scope: Dict[str, Any], code: int) -> None:
        """As a request that is refused would be (audit.py). Which route it asked for is not known here."""
        runtime, meta, answer = current(), _meta_of(scope), scope["auth_answer"]
        token = bearer_of(meta) if "HTTP_AUTHORIZATION" in meta else _cookie_of(scope, runtime)
        required = (f"ClaimsAuthMiddleware({', '.join(sorted(self.roles))})",) if code == DENIED else ()
        reason = answer.reason if answer is not None else "denied" if code == DENIED else "no_token"
        event = audit.AuthFailure(code - CLOSE_CODES, reason, meta["REQUEST_METHOD"], "", required, getattr(scope["user"], "id", None) or "",
                                  audit.address_of(meta, "REMOTE_ADDR"))
        await audit.conclude_connection(event, token if isinstance(token, str) else None, _headers_of(scope, b"traceparent"))

    async def _identify(self, scope: Dict[str, Any]) -> Optional[int]:
        """Fills the scope; the code to close with, if there are no claims or not the right ones."""
        runtime = current()
        scope.update(user=AnonymousClaimsUser(), user_claims=NO_CLAIMS, auth_answer=None)
        meta = _meta_of(scope)
        found: Any = await runtime.transport.identify_async(meta, None)
        if found is None:
            token = _cookie_of(scope, runtime)
            if token is not None:
                found = await runtime.transport.identify_token_async(token, meta, None)
        user = found
        if type(found) is tuple:
            user = await sync_to_async(_user_of)(runtime, found) if runtime.settings.user_resolver else _user_of(runtime, found)
        if user is None or isinstance(user, Answer) or type(found) is not tuple:
            scope["auth_answer"] = user
            return UNAUTHENTICATED if user is None or user.verdict == INVALID else UNAVAILABLE
        scope.update(user=user, user_claims=found[1])
        return DENIED if self.roles and self.roles.isdisjoint(found[1].roles) else None


class _Holder:
    """Takes what make_user() would set on a request."""

    user_claims: Any = None


def _user_of(runtime: Runtime, found: Any) -> Any:
    return make_user(_Holder(), RequestState(), runtime, found)


def _headers_of(scope: Dict[str, Any], name: bytes) -> Optional[str]:
    """Several of one name are joined, as WSGI servers do: two tokens are none."""
    values = [value for key, value in scope.get("headers", ()) if key.lower() == name]
    return b",".join(values).decode("latin-1") if values else None


def _meta_of(scope: Dict[str, Any]) -> Dict[str, Any]:
    client = scope.get("client")
    meta = {"REQUEST_METHOD": "WEBSOCKET", "REMOTE_ADDR": client[0] if client else None}
    header = _headers_of(scope, b"authorization")
    if header is not None:
        meta["HTTP_AUTHORIZATION"] = header
    return meta


def _cookie_of(scope: Dict[str, Any], runtime: Runtime) -> Optional[str]:
    if runtime.settings.cookie is None:
        return None
    try:
        cookies: "SimpleCookie[str]" = SimpleCookie((_headers_of(scope, b"cookie") or "").replace(",", ";"))
    except CookieError:
        return None
    found = cookies.get(runtime.settings.cookie)
    return None if found is None else found.value
