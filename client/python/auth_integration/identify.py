"""From a Django request to its claims: the one way that authenticators, middleware and decorators share."""

from typing import Any, Optional, Tuple

from django.http import HttpRequest

from auth_integration.claims import NO_CLAIMS
from auth_integration.reasons import Answer, answer_of
from auth_integration.runtime import Runtime, current
from auth_integration.state import NOT_ASKED, RequestState, state_of
from auth_integration.transports.base import Found


def _settle(request: HttpRequest, state: RequestState, found: Any) -> Any:
    state.found = found
    if type(found) is tuple:
        state.claims = request.user_claims = found[1]
    else:
        request.user_claims = NO_CLAIMS
        state.answer = found
    return found


def find(request: HttpRequest, state: RequestState, runtime: Runtime) -> Any:
    """A transports.base.Found: who sent it: asked once a request. Sets `request.user_claims`."""
    if state.found is not NOT_ASKED:
        return state.found
    known = runtime.known(request.META)
    return ask(request, state, runtime) if known is None else _settle(request, state, known)


def ask(request: HttpRequest, state: RequestState, runtime: Runtime) -> Any:
    """find(), of a request whose sender is not known."""
    match = request.resolver_match
    route = None if match is None else match.route
    found: Found = runtime.transport.identify(request.META, route)
    if found is None and runtime.settings.cookie is not None:
        token = _cookie(request, state, runtime)
        if token is not None:
            found = runtime.transport.identify_token(token, request.META, route)
    return _settle(request, state, found)


async def find_async(request: HttpRequest, state: RequestState, runtime: Runtime) -> Any:
    """As find(), without blocking the event loop."""
    if state.found is not NOT_ASKED:
        return state.found
    known = runtime.known(request.META)
    if known is not None:
        return _settle(request, state, known)
    match = request.resolver_match
    route = None if match is None else match.route
    found: Found = await runtime.transport.identify_async(request.META, route)
    if found is None and runtime.settings.cookie is not None:
        token = _cookie(request, state, runtime)
        if token is not None:
            found = await runtime.transport.identify_token_async(token, request.META, route)
    return _settle(request, state, found)


def _cookie(request: HttpRequest, state: RequestState, runtime: Runtime) -> Optional[str]:
    token: Optional[str] = request.COOKIES.get(runtime.settings.cookie)
    state.by_cookie = token is not None
    return token


def make_user(request: HttpRequest, state: RequestState, runtime: Runtime, found: Any) -> Any:
    """`request.user` for these claims, as the settings say; an Answer where USER_RESOLVER knows nobody."""
    if runtime.stock_users:
        return found[0]
    resolver = runtime.settings.user_resolver
    if resolver is None:
        return runtime.settings.user_class(found[1])
    user = resolver(found[1])
    if user is not None:
        return user
    refused = answer_of("rejected")
    _settle(request, state, refused)
    state.claims = None
    return refused


def csrf_failure(request: HttpRequest) -> Optional[str]:
    """Why a request whose token came by cookie may not change anything; None if it may. The check is Django's own."""
    from rest_framework.authentication import CSRFCheck

    check = CSRFCheck(lambda _: None)
    check.process_request(request)
    reason = check.process_view(request, None, (), {})
    return None if reason is None else str(reason)


def www_authenticate(realm: str, answer: Optional[Answer]) -> str:
    """RFC 6750 section 3: no error code where no token was sent."""
    if answer is None:
        return f'Bearer realm="{realm}"'
    text = answer.text.replace("\\", "").replace('"', "'")
    return f'Bearer realm="{realm}", error="invalid_token", error_description="{text}"'


def vary_on(runtime: Runtime) -> Tuple[str, ...]:
    return tuple(runtime.vary.split(", "))


__all__ = ["current", "csrf_failure", "find", "find_async", "make_user", "state_of", "vary_on", "www_authenticate"]
