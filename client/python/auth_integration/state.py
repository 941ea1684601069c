"""What this package remembers with a request, so that it is asked about, and recorded, once. Lives on the HttpRequest."""

from typing import Any, Optional, Tuple

from django.http import HttpRequest

from auth_integration.claims import Claims
from auth_integration.reasons import Answer

NOT_ASKED: Any = object()
STATE = "_auth_integration"  # its name on the request


class RequestState:
    found: Any = NOT_ASKED  # a transports.base.Found
    by_cookie = False
    answer: Optional[Answer] = None  # why there are no claims
    claims: Optional[Claims] = None
    required: Tuple[str, ...] = ()  # what denied permissions asked for
    watched = False  # somebody will conclude() with the final status
    recorded = False


def state_of(request: HttpRequest) -> RequestState:
    state: Optional[RequestState] = request.__dict__.get(STATE)
    if state is None:
        state = request.__dict__[STATE] = RequestState()
    return state


def http_request(request: Any) -> HttpRequest:
    """Django's request under DRF's; or the request itself."""
    return getattr(request, "_request", request)
