"""Decorators for plain Django views, sync and async:

    @role_required("rvt")                  @role_required("doctor", "admin")         @token_required            @confirmed_within(30)
    def worklist(request): ...             async def reports(request): ...           def me(request): ...       def prescribe(request): ...

They answer 401, 403 and 503 themselves, as JSON, and set `request.user_claims` and `request.user`.
"""

from functools import wraps
from typing import Any, Callable, Dict, NamedTuple, Optional, Tuple, TypeVar

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext
from rest_framework.exceptions import APIException

from auth_integration import audit
from auth_integration.exceptions import AuthenticationUnavailable, headers_of, rejection_text, retry_after_seconds
from auth_integration.identify import confirm, confirm_async, csrf_failure, find, find_async, make_user, vary_on, www_authenticate
from auth_integration.permissions import _check_roles, check_max_age
from auth_integration.reasons import INVALID, Answer
from auth_integration.runtime import Runtime, current
from auth_integration.state import state_of

View = TypeVar("View", bound=Callable[..., Any])


class _Rule(NamedTuple):
    roles: Tuple[str, ...] = ()  # one of them is needed
    max_age: Optional[float] = None  # seconds
    upstream: str = ""


def _refuse(status: int, detail: Any, headers: Optional[Dict[str, str]] = None) -> HttpResponse:
    response = JsonResponse({"detail": detail}, status=status)
    for name, value in (headers or {}).items():
        response[name] = value
    return response


def _without_claims(answer: Optional[Answer], runtime: Runtime) -> HttpResponse:
    settings = runtime.settings
    if answer is None:
        return _refuse(401, gettext("Authentication credentials were not provided."), {"WWW-Authenticate": www_authenticate(settings.realm, None)})
    if answer.verdict == INVALID:
        return _refuse(401, rejection_text(answer), {"WWW-Authenticate": www_authenticate(settings.realm, answer)})
    return _refuse(503, str(AuthenticationUnavailable.default_detail), {"Retry-After": str(retry_after_seconds(answer, settings.retry_after))})


def _judge(request: HttpRequest, runtime: Runtime, found: Any, rule: _Rule) -> Optional[HttpResponse]:
    """Returns the refusal, or None if the view may run. May block, because USER_RESOLVER may use a database."""
    if type(found) is not tuple:
        return _without_claims(found, runtime)
    if state_of(request).latest.by_cookie:
        reason = csrf_failure(request)
        if reason is not None:
            return _refuse(403, gettext("CSRF Failed: %(reason)s") % {"reason": reason})
    try:
        user = make_user(request, runtime, found)
    except APIException as problem:  # as REST framework answers it
        return _refuse(problem.status_code, problem.detail, {**_challenge(problem, runtime), **headers_of(problem)})
    if isinstance(user, Answer):
        return _without_claims(user, runtime)
    request.user = user
    if rule.roles and not set(rule.roles).intersection(found[1].roles):
        state_of(request).required += (f"role_required({', '.join(rule.roles)})",)
        return _refuse(403, gettext("You do not have the required role."))
    return None


def _challenge(problem: APIException, runtime: Runtime) -> Dict[str, str]:
    return {"WWW-Authenticate": www_authenticate(runtime.settings.realm, None)} if problem.status_code == 401 else {}


def _guard(view: View, rule: _Rule) -> View:
    if iscoroutinefunction(view):
        @wraps(view)
        async def guarded_async(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            runtime = current(rule.upstream)
            refusal = await _refusal_async(request, runtime, rule)
            response = refusal if refusal is not None else await view(request, *args, **kwargs)
            patch_vary_headers(response, vary_on(runtime))
            if not state_of(request).watched:
                await audit.conclude_async(request, response)
            return response

        return guarded_async  # type: ignore[return-value]

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        runtime = current(rule.upstream)
        refusal = _refusal(request, runtime, rule)
        response: Any = refusal if refusal is not None else view(request, *args, **kwargs)
        patch_vary_headers(response, vary_on(runtime))
        if not state_of(request).watched:
            audit.conclude(request, response)
        return response

    return guarded  # type: ignore[return-value]


def _refusal(request: HttpRequest, runtime: Runtime, rule: _Rule) -> Optional[HttpResponse]:
    found = find(request, runtime) if rule.max_age is None else confirm(request, runtime, rule.max_age)
    return _judge(request, runtime, found, rule)


async def _refusal_async(request: HttpRequest, runtime: Runtime, rule: _Rule) -> Optional[HttpResponse]:
    found = await (find_async(request, runtime) if rule.max_age is None else confirm_async(request, runtime, rule.max_age))
    if runtime.settings.user_resolver is None:
        return _judge(request, runtime, found, rule)
    return await sync_to_async(_judge)(request, runtime, found, rule)


def role_required(*roles: str, upstream: str = "") -> Callable[[View], View]:
    """Admits users with at least one of these roles."""
    if len(roles) == 1 and callable(roles[0]):
        roles = ()  # @role_required without its argument
    _check_roles("role_required", roles)
    return lambda view: _guard(view, _Rule(roles, upstream=upstream))


def token_required(view: View) -> View:
    """Admits requests with a token that the Auth API confirms."""
    return _guard(view, _Rule())


def confirmed_within(seconds: float, *, upstream: str = "") -> Callable[[View], View]:
    """Admits requests whose token the Auth API has confirmed within `seconds`; 0 queries it for each request."""
    check_max_age("confirmed_within", seconds)
    return lambda view: _guard(view, _Rule(max_age=seconds, upstream=upstream))
