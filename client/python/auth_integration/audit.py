"""The record of who was refused: every *final* 401, 403 and 503 of authentication, to a signal, to a logger and to the client's report.

Final means: what left the view after its exception handler, or, with CacheUserClaimsMiddleware, what left the middleware. A record never holds a
token, an email address or a path (which may name a patient): the route is the pattern that matched. It holds the user's id, which is what an
audit is for.
"""

import json
import logging
from typing import Any, NamedTuple, Optional, Tuple

from django.dispatch import Signal
from django.http import HttpRequest

from auth_integration.reasons import UNAVAILABLE
from auth_integration.state import state_of

logger = logging.getLogger("auth_integration.audit")
RECORDED = frozenset((401, 403, 503))

# Sent with `event`, an AuthFailure, and `request`, the HttpRequest. A receiver that fails is logged and fails alone.
auth_failure = Signal()


class AuthFailure(NamedTuple):
    status: int  # 401, 403 or 503
    reason: str  # a word of auth_integration.reasons, "no_token" or "denied"
    method: str
    route: str  # "" where nothing matched
    required: Tuple[str, ...]  # what the permissions asked for, as 'HasRole("rvt")'
    user_id: str  # "" if nobody was authenticated
    client_address: str


def report(event: AuthFailure, request: HttpRequest) -> None:
    """The client's report to claimsd, which has no frame for it yet: the one place that will send it."""


def conclude(request: HttpRequest, status: int) -> None:
    """The response's status is settled: records it, once a request, if it is a failure of authentication or authorisation."""
    state = state_of(request)
    if state.recorded or status not in RECORDED:
        return
    answer = state.answer
    if status == 503 and (answer is None or answer.verdict != UNAVAILABLE):
        return  # the application's own
    state.recorded = True
    event = _event_of(request, status)
    logger.warning(
        "%s", json.dumps({"event": "auth_failure", **event._asdict()}, ensure_ascii=True),  # one line, whatever bytes are inside
        extra={"auth_failure": event})
    for receiver, problem in auth_failure.send_robust(sender=AuthFailure, event=event, request=request):
        if isinstance(problem, Exception):
            logger.error("a receiver of auth_failure failed: %r with %s", receiver, type(problem).__name__)
    report(event, request)


def _event_of(request: HttpRequest, status: int) -> AuthFailure:
    from auth_integration.runtime import current

    state = state_of(request)
    user_id = getattr(getattr(request, "user", None), "pk", None)
    claims = state.claims
    if user_id is None and claims is not None:
        user_id = claims.id
    return AuthFailure(
        status, _reason(status, state.answer), request.method or "", route_of(request) or "", state.required,
        "" if user_id is None else str(user_id), str(request.META.get(current().settings.client_address_meta, "")))


def _reason(status: int, answer: Any) -> str:
    if answer is not None:
        return str(answer.reason)
    return "no_token" if status == 401 else "denied"


def route_of(request: HttpRequest) -> Optional[str]:
    match = request.resolver_match
    return None if match is None else match.route
