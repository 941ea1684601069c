"""For plain Django views:

    @role_required("rvt")                  @role_required("doctor", "admin")         @token_required
    def worklist(request): ...             async def reports(request): ...           def me(request): ...

They answer 401, 403 and 503 by themselves, as JSON, and set `request.user_claims` and `request.user`. Views may be sync or async.
"""

from functools import wraps
from typing import Any, Callable, Optional, Tuple, TypeVar

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers

from auth_integration import audit
from auth_integration.exceptions import AuthenticationUnavailable, retry_after_seconds
from auth_integration.identify import csrf_failure, find, find_async, make_user, vary_on, www_authenticate
from auth_integration.permissions import _check_roles
from auth_integration.reasons import INVALID, Answer
from auth_integration.runtime import Runtime, current
from auth_integration.state import RequestState, state_of

View = TypeVar("View", bound=Callable[..., Any])


def _refuse(status: int, detail: str, **headers: str) -> HttpResponse:
    response = JsonResponse({"detail": detail}, status=status)
    for name, value in headers.items():
        response[name.replace("_", "-")] = value
    return response


def _without_claims(answer: Optional[Answer], runtime: Runtime) -> HttpResponse:
    settings = runtime.settings
    if answer is None:
        return _refuse(401, "Authentication credentials were not provided.", WWW_Authenticate=www_authenticate(settings.realm, None))
    if answer.verdict == INVALID:
        return _refuse(401, f"Not authenticated: {answer.text}.", WWW_Authenticate=www_authenticate(settings.realm, answer))
    return _refuse(503, str(AuthenticationUnavailable.default_detail),
                   Retry_After=str(retry_after_seconds(answer, settings.retry_after)))


def _judge(request: HttpRequest, state: RequestState, runtime: Runtime, found: Any, roles: Tuple[str, ...]) -> Optional[HttpResponse]:
    """The refusal, or None: the view may run. May look into a database (USER_RESOLVER)."""
    if type(found) is not tuple:
        return _without_claims(found, runtime)
    if state.by_cookie:
        reason = csrf_failure(request)
        if reason is not None:
            return _refuse(403, f"CSRF Failed: {reason}")
    user = make_user(request, state, runtime, found)
    if isinstance(user, Answer):
        return _without_claims(user, runtime)
    request.user = user
    if roles and not set(roles).intersection(found[1].roles):
        state.required += (f"role_required({', '.join(roles)})",)
        return _refuse(403, "You do not have the role that this needs.")
    return None


def _guard(view: View, roles: Tuple[str, ...]) -> View:
    if iscoroutinefunction(view):
        @wraps(view)
        async def guarded_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            runtime, state = current(), state_of(request)
            found = await find_async(request, state, runtime)
            if runtime.settings.user_resolver is None:
                refusal = _judge(request, state, runtime, found, roles)
            else:
                refusal = await sync_to_async(_judge)(request, state, runtime, found, roles)
            response = refusal if refusal is not None else await view(request, *args, **kwargs)
            patch_vary_headers(response, vary_on(runtime))
            if not state.watched:
                await audit.conclude_async(request, response.status_code)
            return response

        return guarded_async  # type: ignore[return-value]

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        runtime, state = current(), state_of(request)
        refusal = _judge(request, state, runtime, find(request, state, runtime), roles)
        response: Any = refusal if refusal is not None else view(request, *args, **kwargs)
        patch_vary_headers(response, vary_on(runtime))
        if not state.watched:
            audit.conclude(request, response.status_code)
        return response

    return guarded  # type: ignore[return-value]


def role_required(*roles: str) -> Callable[[View], View]:
    """Whoever has at least one of these roles."""
    if len(roles) == 1 and callable(roles[0]):
        roles = ()  # @role_required without its argument
    _check_roles("role_required", roles)
    return lambda view: _guard(view, roles)


def token_required(view: View) -> View:
    """Whoever brings a token that the Auth API confirms."""
    return _guard(view, ())
