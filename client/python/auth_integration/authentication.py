"""REST framework authentication classes.

    REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["auth_integration.authentication.AuthAPITokenAuthentication"],
    }
"""

from functools import lru_cache
from types import MethodType
from typing import Any, Callable, ClassVar, Optional, Type, TypeVar

from django.conf import settings as django_settings
from django.http import HttpRequest
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.settings import api_settings

from auth_integration import audit
from auth_integration.claims import NO_CLAIMS
from auth_integration.exceptions import AuthenticationUnavailable, exception_of, retry_after_seconds
from auth_integration.identify import csrf_failure, find, look_up, make_user, www_authenticate
from auth_integration.reasons import INVALID, UNAVAILABLE, Answer
from auth_integration.runtime import Runtime, current
from auth_integration.state import STATE, RequestState, http_request, state_of

# The default of REST framework is a model of django.contrib.auth, which cannot be imported if that application is not installed.
if "django.contrib.auth" not in django_settings.INSTALLED_APPS:
    if "UNAUTHENTICATED_USER" not in getattr(django_settings, "REST_FRAMEWORK", {}):
        from auth_integration.users import AnonymousClaimsUser

        api_settings.defaults = {**api_settings.defaults, "UNAUTHENTICATED_USER": AnonymousClaimsUser}

Authenticator = TypeVar("Authenticator", bound="AuthAPITokenAuthentication")


class AuthAPITokenAuthentication(BaseAuthentication):
    """Authenticates `Authorization: Bearer ...` at the Auth API.

    Sets `request.user` (a ClaimsUser, or what USER_CLASS and USER_RESOLVER return), `request.auth` and `request.user_claims` (the claims, immutable).
    Returns None if there is no header or another scheme, so the next class decides. A rejected or malformed token is answered 401, an outage 503.
    """

    upstream: ClassVar[str] = ""  # a name of UPSTREAMS; "": the Auth API of AUTH_API_URL

    @classmethod
    def configured(cls: Type[Authenticator], *, upstream: str) -> Type[Authenticator]:
        """Returns this class for another Auth API: authentication_classes = [AuthAPITokenAuthentication.configured(upstream="partners")]"""
        configure: Any = _configured
        return configure(cls, upstream)

    def authenticate(self, request: Any) -> Any:
        """Returns (user, claims), or None if the request has no bearer token."""
        try:
            http = request._request
        except AttributeError:
            http = request  # Django's own
        _watch(request)
        runtime = current(self.upstream)
        if hasattr(http, STATE) or not runtime.stock_users or self.upstream:
            return self._authenticate(http, runtime, find)
        # Hot path: for a token that this process knows, only the claims are set on the request.
        found = runtime.known(http.META)
        if found is None:
            return self._authenticate(http, runtime, look_up)
        http.user_claims = found[1]
        return found

    def _authenticate(self, http: HttpRequest, runtime: Runtime, finder: Callable[[HttpRequest, Runtime], Any]) -> Any:
        found = finder(http, runtime)
        if type(found) is not tuple:
            self.without_claims(found, runtime)
            return None
        if state_of(http).latest.by_cookie:
            reason = csrf_failure(http)
            if reason is not None:
                raise exceptions.PermissionDenied(gettext("CSRF Failed: %(reason)s") % {"reason": reason})
        user = make_user(http, runtime, found)
        if isinstance(user, Answer):
            self.without_claims(user, runtime)
            return None
        return user, found[1]

    def without_claims(self, found: Optional[Answer], runtime: Runtime) -> None:
        """Called if there are no claims. Returns if no token was sent, otherwise raises the exception with the reason."""
        if found is not None:
            raise exception_of(found, runtime.settings.retry_after)

    def authenticate_header(self, request: Any) -> str:
        answer = state_of(http_request(request)).latest.answer
        rejected = answer if answer is not None and answer.verdict == INVALID else None
        return www_authenticate(current(self.upstream).settings.realm, rejected)


@lru_cache(maxsize=256)
def _configured(base: Type[AuthAPITokenAuthentication], upstream: str) -> Type[AuthAPITokenAuthentication]:
    return type(base.__name__, (base,), {"upstream": upstream, "__module__": base.__module__, "__doc__": base.__doc__})


class OptionalAuthAPITokenAuthentication(AuthAPITokenAuthentication):
    """For public views: a request whose token is rejected or cannot be checked is anonymous. If a permission then denies it, the answer is 401 for a
    rejected token and 503 for one that could not be checked."""

    def authenticate(self, request: Any) -> Any:
        try:
            return super().authenticate(request)
        except exceptions.PermissionDenied:  # CSRF
            http_request(request).user_claims = NO_CLAIMS
            return None

    def without_claims(self, found: Optional[Answer], runtime: Runtime) -> None:
        pass


def _watch(request: Any) -> None:
    """Adds Vary to the view's response and records its final status, unless the middleware does that."""
    try:
        view = request.parser_context["view"]
    except (AttributeError, KeyError):
        return  # not called by a view
    if type(view.finalize_response) is MethodType:  # otherwise it was replaced already, by this function or by the application
        view.finalize_response = _finalize


def _finalize(request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
    """Replaces the view's finalize_response(). A function, because a bound method of the view would be a reference cycle."""
    view, http = request.parser_context["view"], request._request
    state: Optional[RequestState] = getattr(http, STATE, None)
    upstream = "" if state is None else state.latest.upstream
    if response.status_code == 401 and state is not None and state.latest.answer is not None and state.latest.answer.verdict == UNAVAILABLE:
        _make_unavailable(response, state.latest.answer, current(upstream))
    response = type(view).finalize_response(view, request, response, *args, **kwargs)
    vary = current(upstream).vary
    if response.get("Vary") is None:
        response["Vary"] = vary
    else:
        patch_vary_headers(response, vary.split(", "))
    if response.status_code in audit.RECORDED and (state is None or not state.watched):
        audit.conclude(http, response)
    return response


def _make_unavailable(response: Any, answer: Answer, runtime: Runtime) -> None:
    """An outage is never answered 401, whichever permission class denied."""
    problem = AuthenticationUnavailable(answer)
    response.status_code = problem.status_code
    response.data = {"detail": problem.detail}
    response["Retry-After"] = str(retry_after_seconds(answer, runtime.settings.retry_after))
    if response.has_header("WWW-Authenticate"):
        del response["WWW-Authenticate"]
