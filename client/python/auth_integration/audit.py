"""The record of who was refused: every *final* 401, 403 and 503 of authentication, to a signal, to a logger and, by way of the transport, to claimsd's
audit log.

Final means: what left the view after its exception handler, or, with CacheUserClaimsMiddleware, what left the middleware. A record never holds a
token, an email address or a path (which may name a patient): the route is the pattern that matched. It holds the user's id, which is what an
audit is for.
"""

import json
import logging
import re
from typing import Any, Dict, NamedTuple, Optional, Tuple, Union

from django.dispatch import Signal
from django.http import HttpRequest

from auth_integration.reasons import UNAVAILABLE, Answer
from auth_integration.state import state_of

logger = logging.getLogger("auth_integration.audit")
RECORDED = frozenset((401, 403, 503))
_ADDRESS = re.compile(r"[0-9A-Za-z.:%,\[\] _-]{1,64}")  # IPv6 with a zone, several of a proxy's

# Sent with `event`, an AuthFailure, and `request`, the HttpRequest (None for a WebSocket). A receiver that fails is logged and fails alone.
auth_failure = Signal()


class AuthFailure(NamedTuple):
    status: int  # 401, 403 or 503
    reason: str  # a word of auth_integration.reasons, "no_token" or "denied"
    method: str
    route: str  # "" where nothing matched
    required: Tuple[str, ...]  # what the permissions asked for, as 'HasRole("rvt")'
    user_id: str  # "" if nobody was authenticated
    client_address: str


class Report(NamedTuple):
    """An event as it goes to claimsd: with what identifies it there, which no signal and no log line is given."""

    event: AuthFailure
    token: Optional[str]  # which the daemon turns into the fingerprint that its own records have
    trace_id: Optional[str]


def conclude(request: HttpRequest, status: int) -> None:
    """The response's status is settled: records it, once a request, if it is a failure of authentication or authorisation. With REPORT_WAIT it waits
    until claimsd has it on disk, for REPORT_TIMEOUT at most; whatever becomes of that, the response stays what it is."""
    from auth_integration.runtime import current

    event = _settle(request, status)
    if event is None:
        return
    try:
        current().transport.report(_report_of(event, request), _note_loss)
    except Exception as problem:
        _note_loss(problem)


async def conclude_async(request: HttpRequest, status: int) -> None:
    """As conclude(), without blocking the event loop."""
    event = _settle(request, status)
    if event is not None:
        await _report_async(_report_of(event, request))


async def conclude_connection(event: AuthFailure, token: Optional[str], trace_id: Optional[str]) -> None:
    """As conclude_async(), for a connection that is refused before any view."""
    _tell(event, None)
    await _report_async(Report(event, token, trace_id))


async def _report_async(report: Report) -> None:
    from auth_integration.runtime import current

    try:
        await current().transport.report_async(report, _note_loss)
    except Exception as problem:
        _note_loss(problem)


def _settle(request: HttpRequest, status: int) -> Optional[AuthFailure]:
    """What is to be recorded, if anything is, told to the logger and to whoever listens."""
    state = state_of(request)
    if state.recorded or status not in RECORDED:
        return None
    answer = state.answer
    if status == 503 and (answer is None or answer.verdict != UNAVAILABLE):
        return None  # the application's own
    state.recorded = True
    event = _event_of(request, status)
    _tell(event, request)
    return event


def _tell(event: AuthFailure, request: Optional[HttpRequest]) -> None:
    logger.warning(
        "%s", json.dumps({"event": "auth_failure", **event._asdict()}, ensure_ascii=True),  # one line, whatever bytes are inside
        extra={"auth_failure": event})
    for receiver, problem in auth_failure.send_robust(sender=AuthFailure, event=event, request=request):
        if isinstance(problem, Exception):
            logger.error("a receiver of auth_failure failed: %r with %s", receiver, type(problem).__name__)


def _note_loss(why: Union[Answer, Exception], count: int = 1) -> None:
    """Reports that may not have got into the audit log: libclaimsd counts them and says so with the next one; the site's own log says it now."""
    said = {"reason": type(why).__name__} if isinstance(why, Exception) else {"reason": why.reason, "text": why.text}
    logger.error("%s", json.dumps({"event": "report_lost", "count": count, **said}))


def _report_of(event: AuthFailure, request: HttpRequest) -> Report:
    from auth_integration.runtime import current
    from auth_integration.transports.base import bearer_of

    token = bearer_of(request.META)
    cookie = current().settings.cookie
    if token is None and cookie is not None:
        token = request.COOKIES.get(cookie)
    trace_id = request.META.get("HTTP_TRACEPARENT")
    return Report(event, token if isinstance(token, str) else None, None if trace_id is None else str(trace_id))


def _event_of(request: HttpRequest, status: int) -> AuthFailure:
    from auth_integration.runtime import current

    state = state_of(request)
    user_id = getattr(getattr(request, "user", None), "pk", None)
    claims = state.claims
    if user_id is None and claims is not None:
        user_id = claims.id
    return AuthFailure(
        status, _reason(status, state.answer), request.method or "", route_of(request) or "", state.required,
        "" if user_id is None else str(user_id), address_of(request.META, current().settings.client_address_meta))


def address_of(meta: Dict[str, Any], member: str) -> str:
    """The client's address, or "" where what stands there is none: behind a proxy anybody can put anything there, a token too."""
    address = str(meta.get(member) or "")
    if not _ADDRESS.fullmatch(address) or address in str(meta.get("HTTP_AUTHORIZATION", "")):
        return ""
    return address


def _reason(status: int, answer: Any) -> str:
    if answer is not None:
        return str(answer.reason)
    return "no_token" if status == 401 else "denied"


def route_of(request: HttpRequest) -> Optional[str]:
    match = request.resolver_match
    return None if match is None else match.route
