"""The state of this package on a Django request: a token is looked up once per request, and a refusal is recorded once."""

from typing import Any, Dict, Optional, Tuple

from django.http import HttpRequest

from auth_integration.claims import Claims
from auth_integration.reasons import Answer

NOT_LOOKED_UP: Any = object()
STATE = "_auth_integration"  # the attribute of the request


class Lookup:
    """The result of looking up the request's token at one Auth API."""

    found: Any = NOT_LOOKED_UP  # a transports.base.Found
    by_cookie = False
    answer: Optional[Answer] = None  # why there are no claims
    claims: Optional[Claims] = None

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream  # "": the one of AUTH_API_URL


class RequestState:
    required: Tuple[str, ...] = ()  # the permissions that denied
    watched = False  # the middleware will conclude() with the final status
    recorded = False

    def __init__(self) -> None:
        self._lookups: Dict[str, Lookup] = {}
        self.latest = Lookup("")

    def lookup(self, upstream: str) -> Lookup:
        """The request's lookup at this Auth API, which becomes the latest one."""
        found = self._lookups.get(upstream)
        if found is None:
            found = self._lookups[upstream] = Lookup(upstream)
        self.latest = found
        return found


def state_of(request: HttpRequest) -> RequestState:
    state: Optional[RequestState] = request.__dict__.get(STATE)
    if state is None:
        state = request.__dict__[STATE] = RequestState()
    return state


def http_request(request: Any) -> HttpRequest:
    """Django's request under REST framework's, or the request itself."""
    return getattr(request, "_request", request)
