"""The exceptions that refuse a request: 401 for a rejected token, 503 if no answer could be obtained. One never replaces the other."""

from typing import Any, Dict

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions, status

from auth_integration.reasons import INVALID, Answer


def retry_after_seconds(answer: Answer, default: int) -> int:
    """The seconds of the header Retry-After, at least 1."""
    return max(1, -(-answer.retry_after_ms // 1000) if answer.retry_after_ms else default)


def rejection_text(answer: Answer) -> str:
    return gettext("Not authenticated: %(reason)s.") % {"reason": gettext(answer.text)}


class InvalidToken(exceptions.AuthenticationFailed):
    """401; `answer` has the reason."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(detail=rejection_text(answer), code=answer.reason)
        self.answer = answer

    def __reduce__(self) -> Any:
        return InvalidToken, (Answer(*self.answer),)


class AuthenticationUnavailable(exceptions.APIException):
    """503 with Retry-After; `answer` has the reason, which is not sent to the client."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = _("Your identity cannot be checked at the moment. Try again shortly.")
    default_code = "authentication_unavailable"

    def __init__(self, answer: Answer, retry_after: int = 1) -> None:
        super().__init__()
        self.answer = answer
        self.wait = retry_after_seconds(answer, retry_after)  # REST framework sends it as Retry-After

    def __reduce__(self) -> Any:
        return AuthenticationUnavailable, (Answer(*self.answer), self.wait)


def exception_of(answer: Answer, retry_after: int) -> exceptions.APIException:
    return InvalidToken(answer) if answer.verdict == INVALID else AuthenticationUnavailable(answer, retry_after)


def headers_of(problem: exceptions.APIException) -> Dict[str, str]:
    """The headers that REST framework's exception handler would set."""
    headers = {}
    if getattr(problem, "auth_header", None):
        headers["WWW-Authenticate"] = str(problem.auth_header)
    if getattr(problem, "wait", None):
        headers["Retry-After"] = str(int(problem.wait))
    return headers
