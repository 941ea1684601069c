"""CacheUserClaimsMiddleware: `request.user_claims` for every Django request, asked for once a request; sync and async.

    MIDDLEWARE = [..., "auth_integration.middleware.CacheUserClaimsMiddleware"]

It refuses nobody: views, permissions and decorators do, from what it found. It sees the final status of every response, and so records the refusals
of plain Django views as well. Behind Django's UpdateCacheMiddleware, never before it: the cache must see that responses vary (a system check).
"""

from typing import Any, Awaitable, Callable, Union

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from auth_integration import audit
from auth_integration.identify import find, find_async, vary_on
from auth_integration.runtime import current
from auth_integration.state import state_of

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
        # Every response varies: the claims were there for whoever made it, and whether it looked at them is not known.
        runtime, state = current(), state_of(request)
        state.watched = True
        find(request, state, runtime)
        response: Any = self.get_response(request)
        patch_vary_headers(response, vary_on(runtime))
        audit.conclude(request, response.status_code)
        return response

    async def _call_async(self, request: HttpRequest) -> HttpResponse:
        runtime, state = current(), state_of(request)
        state.watched = True
        await find_async(request, state, runtime)
        response: Any = await self.get_response(request)
        patch_vary_headers(response, vary_on(runtime))
        await audit.conclude_async(request, response.status_code)
        return response
