"""Looks up the claims of a token or of a Django request. Authenticators, middleware, decorators and permissions all use this module.

    from auth_integration.identify import identify        # outside a request, for example in a Celery task
    claims = identify(token)
"""

import logging
from typing import Any, Optional, Tuple

from django.http import HttpRequest

from auth_integration.claims import NO_CLAIMS, Claims
from auth_integration.exceptions import exception_of
from auth_integration.reasons import Answer, answer_of
from auth_integration.runtime import Runtime, current
from auth_integration.state import NOT_LOOKED_UP, Lookup, state_of
from auth_integration.transports.base import Found, Outcome, bearer_of

logger = logging.getLogger("auth_integration")


# ---- a token --------------------------------------------------------------------------------------


def identify(token: str, *, max_age: Optional[float] = None, upstream: str = "") -> Claims:
    """Returns the claims of a token. InvalidToken if the Auth API rejects it, AuthenticationUnavailable if there is no answer.

    `max_age`: the maximum age of the Auth API's confirmation in seconds; 0 queries it now. After a logout call identify(token, max_age=0): the Auth
    API's 401 removes the token from all caches of the host. `upstream`: a name of UPSTREAMS.
    """
    runtime = current(upstream)
    return _claims_or_raise(_lookup_token(runtime, token, max_age), runtime)


async def identify_async(token: str, *, max_age: Optional[float] = None, upstream: str = "") -> Claims:
    """Like identify(), without blocking the event loop."""
    runtime = current(upstream)
    try:
        found = await runtime.transport.identify_token_async(token, None, None, max_age)
    except Exception as error:
        found = _failed(error)
    return _claims_or_raise(found, runtime)


def _lookup_token(runtime: Runtime, token: str, max_age: Optional[float]) -> Outcome:
    try:
        return runtime.transport.identify_token(token, None, None, max_age)
    except Exception as error:
        return _failed(error)


def _claims_or_raise(found: Any, runtime: Runtime) -> Claims:
    if type(found) is not tuple:
        raise exception_of(found, runtime.settings.retry_after)
    claims: Claims = found[1]
    return claims


def _failed(error: Exception) -> Answer:
    """Treats an error in a transport as an outage. The error is not raised again, because its frames hold the token and exception reports show frames."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    where = "" if at is None else f" in {at.tb_frame.f_code.co_filename}:{at.tb_lineno}"
    logger.error("the lookup of a token failed: %s%s", type(error).__name__, where)
    return answer_of("internal")


# ---- a request -----------------------------------------------------------------------------------


def find(request: HttpRequest, runtime: Runtime) -> Found:
    """Looks up the sender of the request, once per request. Sets `request.user_claims`."""
    lookup = state_of(request).lookup(runtime.upstream)
    if lookup.found is NOT_LOOKED_UP:
        known = runtime.known(request.META)
        if known is None:
            return look_up(request, runtime)
        _settle(request, lookup, known)
    return lookup.found


def look_up(request: HttpRequest, runtime: Runtime) -> Found:
    """Like find(), for a token that this process does not know."""
    lookup = state_of(request).lookup(runtime.upstream)
    try:
        found: Found = runtime.transport.identify(request.META, _route(request))
        if found is None:
            token = _cookie(request, lookup, runtime)
            if token is not None:
                found = runtime.transport.identify_token(token, request.META, _route(request))
    except Exception as error:
        found = _failed(error)
    return _settle(request, lookup, found)


async def find_async(request: HttpRequest, runtime: Runtime) -> Found:
    """Like find(), without blocking the event loop."""
    lookup = state_of(request).lookup(runtime.upstream)
    if lookup.found is not NOT_LOOKED_UP:
        return lookup.found
    known = runtime.known(request.META)
    if known is not None:
        return _settle(request, lookup, known)
    try:
        found: Found = await runtime.transport.identify_async(request.META, _route(request))
        if found is None:
            token = _cookie(request, lookup, runtime)
            if token is not None:
                found = await runtime.transport.identify_token_async(token, request.META, _route(request))
    except Exception as error:
        found = _failed(error)
    return _settle(request, lookup, found)


def confirm(request: HttpRequest, runtime: Runtime, max_age: float) -> Found:
    """Like find(), with an answer that the Auth API has confirmed within `max_age` seconds."""
    lookup = state_of(request).lookup(runtime.upstream)
    token = _token_of(request, lookup, runtime)
    if isinstance(token, str):
        try:
            return _settle(request, lookup, runtime.transport.identify_token(token, request.META, _route(request), max_age))
        except Exception as error:
            return _settle(request, lookup, _failed(error))
    return _settle(request, lookup, token)


async def confirm_async(request: HttpRequest, runtime: Runtime, max_age: float) -> Found:
    """Like confirm(), without blocking the event loop."""
    lookup = state_of(request).lookup(runtime.upstream)
    token = _token_of(request, lookup, runtime)
    if isinstance(token, str):
        try:
            return _settle(request, lookup, await runtime.transport.identify_token_async(token, request.META, _route(request), max_age))
        except Exception as error:
            return _settle(request, lookup, _failed(error))
    return _settle(request, lookup, token)


def _token_of(request: HttpRequest, lookup: Lookup, runtime: Runtime) -> Any:
    token = bearer_of(request.META)
    return _cookie(request, lookup, runtime) if token is None else token


def _cookie(request: HttpRequest, lookup: Lookup, runtime: Runtime) -> Optional[str]:
    if runtime.settings.cookie is None:
        return None
    token: Optional[str] = request.COOKIES.get(runtime.settings.cookie)
    lookup.by_cookie = token is not None
    return token


def _route(request: HttpRequest) -> Optional[str]:
    match = request.resolver_match
    return None if match is None else match.route


def _settle(request: HttpRequest, lookup: Lookup, found: Any) -> Found:
    lookup.found = found
    if type(found) is tuple:
        lookup.claims = request.user_claims = found[1]
        lookup.answer = None
    else:
        request.user_claims = NO_CLAIMS
        lookup.claims, lookup.answer = None, found
    return found


# ---- the user ------------------------------------------------------------------------------------


def make_user(request: HttpRequest, runtime: Runtime, found: Any) -> Any:
    """Makes `request.user` of these claims, according to the settings. An Answer if USER_RESOLVER returns None; its exceptions are passed on."""
    if runtime.stock_users:
        return found[0]
    resolver = runtime.settings.user_resolver
    if resolver is None:
        return runtime.settings.user_class(found[1])
    user = resolver(found[1])
    if user is not None:
        return user
    rejected = answer_of("rejected")
    _settle(request, state_of(request).lookup(runtime.upstream), rejected)
    return rejected


def csrf_failure(request: HttpRequest) -> Optional[str]:
    """Runs Django's CSRF check for a request whose token came in a cookie. Returns the reason if it fails, otherwise None."""
    from rest_framework.authentication import CSRFCheck

    check = CSRFCheck(lambda _: None)
    check.process_request(request)
    reason = check.process_view(request, None, (), {})
    return None if reason is None else str(reason)


# ---- headers -------------------------------------------------------------------------------------


def www_authenticate(realm: str, answer: Optional[Answer]) -> str:
    """RFC 6750 section 3: no error code if no token was sent. Not translated, because the header is ASCII."""
    if answer is None:
        return f'Bearer realm="{realm}"'
    text = answer.text.replace("\\", "").replace('"', "'")
    return f'Bearer realm="{realm}", error="invalid_token", error_description="{text}"'


def vary_on(runtime: Runtime) -> Tuple[str, ...]:
    return tuple(runtime.vary.split(", "))
