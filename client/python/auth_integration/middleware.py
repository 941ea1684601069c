"""CacheUserClaimsMiddleware: `request.user_claims` and `request.user` for every Django request, looked up once; sync and async.

    MIDDLEWARE = [..., "django.contrib.auth.middleware.AuthenticationMiddleware", "auth_integration.middleware.CacheUserClaimsMiddleware"]

It never refuses a request; views, permissions and decorators (including `@login_required`) do. It sees the final status of every response, so it also
records the refusals of plain Django views. Put it after UpdateCacheMiddleware, which must see that responses vary, and after AuthenticationMiddleware,
which would overwrite `request.user`. A system check finds both mistakes.
"""

from typing import Any, Awaitable, Callable, Union

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.functional import SimpleLazyObject
from rest_framework.exceptions import APIException

from auth_integration import audit
from auth_integration.identify import csrf_failure, find, find_async, make_user, vary_on
from auth_integration.reasons import Answer
from auth_integration.runtime import Runtime, current
from auth_integration.state import state_of
from auth_integration.transports.base import Found
from auth_integration.users import AnonymousClaimsUser

GetResponse = Callable[[HttpRequest], Union[HttpResponse, Awaitable[HttpResponse]]]


class CacheUserClaimsMiddleware:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> Any:
        if self._is_async:
            return self._call_async(request)
        runtime = current()
        state_of(request).watched = True
        _attach_user(request, runtime, find(request, runtime))
        response: Any = self.get_response(request)
        patch_vary_headers(response, vary_on(runtime))  # every response, because any view may have used the claims
        audit.conclude(request, response)
        return response

    async def _call_async(self, request: HttpRequest) -> HttpResponse:
        runtime = current()
        state_of(request).watched = True
        _attach_user(request, runtime, await find_async(request, runtime))
        response: Any = await self.get_response(request)
        patch_vary_headers(response, vary_on(runtime))
        await audit.conclude_async(request, response)
        return response


def _attach_user(request: HttpRequest, runtime: Runtime, found: Found) -> None:
    """Sets `request.user` (and `request.auser`) if there are claims; a session's user stays if there are none."""
    if type(found) is not tuple or (state_of(request).latest.by_cookie and csrf_failure(request) is not None):
        if not hasattr(request, "user"):
            request.user = AnonymousClaimsUser()
        return
    user: Any = found[0] if runtime.stock_users else SimpleLazyObject(lambda: _resolved(request, runtime, found))

    async def auser() -> Any:
        return user if runtime.stock_users else await sync_to_async(_evaluated)(user)

    request.user, request.auser = user, auser


def _resolved(request: HttpRequest, runtime: Runtime, found: Found) -> Any:
    """Calls USER_RESOLVER or USER_CLASS. Returns an anonymous user if it refuses; views that need the reason use a decorator or REST framework."""
    try:
        user = make_user(request, runtime, found)
    except APIException:
        return AnonymousClaimsUser()
    return AnonymousClaimsUser() if isinstance(user, Answer) else user


def _evaluated(user: Any) -> Any:
    bool(user.is_authenticated)  # calls USER_RESOLVER, in this thread
    return user
