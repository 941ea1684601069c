"""What a view's caller gets: 401 for a refused token, 503 when nobody could say. Never one for the other."""

from rest_framework import exceptions, status

from auth_integration.reasons import INVALID, Answer


def retry_after_seconds(answer: Answer, default: int) -> int:
    """For the header Retry-After: at least 1."""
    return max(1, -(-answer.retry_after_ms // 1000) if answer.retry_after_ms else default)


class InvalidToken(exceptions.AuthenticationFailed):
    """401; `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(detail=f"Not authenticated: {answer.text}.", code=answer.reason)
        self.answer = answer


class AuthenticationUnavailable(exceptions.APIException):
    """503 with Retry-After; `answer` says why. Its reader is told nothing of our insides."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "Who you are cannot be checked just now. Try again shortly."
    default_code = "authentication_unavailable"

    def __init__(self, answer: Answer, retry_after: int = 1) -> None:
        super().__init__()
        self.answer = answer
        self.wait = retry_after_seconds(answer, retry_after)  # REST framework makes it Retry-After


def exception_of(answer: Answer, retry_after: int) -> exceptions.APIException:
    return InvalidToken(answer) if answer.verdict == INVALID else AuthenticationUnavailable(answer, retry_after)
