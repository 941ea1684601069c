"""REST framework's authentication classes.

    REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["auth_integration.authentication.AuthAPITokenAuthentication"],
    }
"""

from types import MethodType
from typing import Any, Callable, Optional

from django.conf import settings as django_settings
from django.http import HttpRequest
from django.utils.cache import patch_vary_headers
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.settings import api_settings

from auth_integration import audit
from auth_integration.claims import NO_CLAIMS
from auth_integration.exceptions import AuthenticationUnavailable, exception_of, retry_after_seconds
from auth_integration.identify import ask, csrf_failure, find, make_user, www_authenticate
from auth_integration.reasons import INVALID, UNAVAILABLE, Answer
from auth_integration.runtime import Runtime, current
from auth_integration.state import STATE, RequestState, http_request, state_of

# REST framework's default is a model of django.contrib.auth: where that is not installed, looking at it is an error. Only where nobody chose another.
if "django.contrib.auth" not in django_settings.INSTALLED_APPS:
    if "UNAUTHENTICATED_USER" not in getattr(django_settings, "REST_FRAMEWORK", {}):
        from auth_integration.users import AnonymousClaimsUser

        api_settings.defaults = {**api_settings.defaults, "UNAUTHENTICATED_USER": AnonymousClaimsUser}


class AuthAPITokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer ...`, confirmed by the Auth API.

    Sets `request.user` (a ClaimsUser, or as USER_CLASS and USER_RESOLVER say), `request.auth` and `request.user_claims` (the claims, immutable).
    Another scheme, or no header: None, the next class's business. A refused or broken token: 401. Nobody could say: 503.
    """

    def authenticate(self, request: Any) -> Any:
        """(user, claims), or None."""
        try:
            http = request._request
        except AttributeError:
            http = request  # Django's own
        _watch(request)
        runtime = current()
        if hasattr(http, STATE) or not runtime.stock_users:
            return self._authenticate(http, runtime, find)
        # The hot path, find() once more: a known token leaves nothing behind but its claims.
        found = runtime.known(http.META)
        if found is None:
            return self._authenticate(http, runtime, ask)
        http.user_claims = found[1]
        return found

    def _authenticate(self, http: HttpRequest, runtime: Runtime, finder: Callable[[HttpRequest, RequestState, Runtime], Any]) -> Any:
        state = state_of(http)
        found = finder(http, state, runtime)
        if type(found) is not tuple:
            self.without_claims(found, runtime)
            return None
        if state.by_cookie:
            reason = csrf_failure(http)
            if reason is not None:
                raise exceptions.PermissionDenied(f"CSRF Failed: {reason}")
        user = make_user(http, state, runtime, found)
        if isinstance(user, Answer):
            self.without_claims(user, runtime)
            return None
        return user, found[1]

    def without_claims(self, found: Optional[Answer], runtime: Runtime) -> None:
        """No claims: returns where no token was sent, else the exception that says why."""
        if found is not None:
            raise exception_of(found, runtime.settings.retry_after)

    def authenticate_header(self, request: Any) -> str:
        answer = state_of(http_request(request)).answer
        refused = answer if answer is not None and answer.verdict == INVALID else None
        return www_authenticate(current().settings.realm, refused)


class OptionalAuthAPITokenAuthentication(AuthAPITokenAuthentication):
    """For public views: a token that is refused, or cannot be checked, is nobody's; the view is served all the same. Where a permission then
    denies, it is 401 for a refused token and still 503 for one that could not be checked."""

    def authenticate(self, request: Any) -> Any:
        try:
            return super().authenticate(request)
        except exceptions.PermissionDenied:  # CSRF
            http_request(request).user_claims = NO_CLAIMS
            return None

    def without_claims(self, found: Optional[Answer], runtime: Runtime) -> None:
        pass


def _watch(request: Any) -> None:
    """Has the view's response vary by what it was made of, and its final status recorded (unless the middleware does)."""
    try:
        view = request.parser_context["view"]
    except (AttributeError, KeyError):
        return  # not called by a view
    if type(view.finalize_response) is MethodType:  # else it is ours already, or an application's own
        view.finalize_response = _finalize


def _finalize(request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
    """In the place of the view's own finalize_response(). The view and all else is found by the request, so that no reference goes round."""
    view, http = request.parser_context["view"], request._request
    state: Optional[RequestState] = getattr(http, STATE, None)
    if response.status_code == 401 and state is not None and state.answer is not None and state.answer.verdict == UNAVAILABLE:
        _make_unavailable(response, state.answer)
    response = type(view).finalize_response(view, request, response, *args, **kwargs)
    vary = current().vary
    if response.get("Vary") is None:
        response["Vary"] = vary
    else:
        patch_vary_headers(response, vary.split(", "))
    if response.status_code in audit.RECORDED and (state is None or not state.watched):
        audit.conclude(http, response.status_code)
    return response


def _make_unavailable(response: Any, answer: Answer) -> None:
    """An outage is never an answer of 401, whichever permission class denied."""
    problem = AuthenticationUnavailable(answer)
    response.status_code = problem.status_code
    response.data = {"detail": problem.detail}
    response["Retry-After"] = str(retry_after_seconds(answer, current().settings.retry_after))
    if response.has_header("WWW-Authenticate"):
        del response["WWW-Authenticate"]
