"""Records refused requests: each final 401, 403 and 503 of authentication goes to a signal, to a logger and to claimsd's audit log.

Final is the status that leaves the view after its exception handler or, with CacheUserClaimsMiddleware, the one that leaves the middleware.
"""

import json
import logging
import re
from typing import Any, Dict, Optional, Union

from django.dispatch import Signal
from django.http import HttpRequest

from auth_integration.events import AuthFailure, Report
from auth_integration.log import RateLimitedLog
from auth_integration.reasons import UNAVAILABLE, Answer
from auth_integration.runtime import Runtime, current
from auth_integration.state import state_of
from auth_integration.transports.base import bearer_of

logger = logging.getLogger("auth_integration.audit")
RECORDED = frozenset((401, 403, 503))
_ADDRESS = re.compile(r"[0-9A-Za-z.:%,\[\] _-]{1,64}")  # also IPv6 with a zone, and the list of a proxy
_outages = RateLimitedLog(logging.ERROR)

# Sent with `event`, an AuthFailure, and `request`, the HttpRequest (None for a WebSocket). A receiver that raises is logged; the others still run.
auth_failure = Signal()


def conclude(request: HttpRequest, response: Any) -> None:
    """Records the final response if it refuses the request: once per request. With REPORT_WAIT it returns when claimsd has the record on disk,
    at the latest after REPORT_TIMEOUT. The response is sent in any case."""
    event = _settle(request, response)
    if event is None:
        return
    try:
        runtime = current(state_of(request).latest.upstream)
        runtime.transport.report(_report_of(event, request, runtime), _note_loss)
    except Exception as problem:
        _note_loss(problem)


async def conclude_async(request: HttpRequest, response: Any) -> None:
    """Like conclude(), without blocking the event loop."""
    event = _settle(request, response)
    if event is not None:
        runtime = current(state_of(request).latest.upstream)
        await _report_async(_report_of(event, request, runtime), runtime)


async def conclude_connection(event: AuthFailure, token: Optional[str], trace_id: Optional[str], runtime: Runtime) -> None:
    """Like conclude_async(), for a WebSocket that is refused before any view."""
    _announce(event, None)
    await _report_async(Report(event, token, trace_id), runtime)


async def _report_async(report: Report, runtime: Runtime) -> None:
    try:
        await runtime.transport.report_async(report, _note_loss)
    except Exception as problem:
        _note_loss(problem)


def _settle(request: HttpRequest, response: Any) -> Optional[AuthFailure]:
    """Logs and signals the event, and returns it. None if there is nothing to record."""
    status, state = response.status_code, state_of(request)
    if state.recorded or status not in RECORDED:
        return None
    answer = state.latest.answer
    if status == 503:
        if answer is None or answer.verdict != UNAVAILABLE:
            return None  # the application's own 503
        response._has_been_logged = True  # otherwise Django logs each one as an error and mails it to ADMINS
    state.recorded = True
    event = _event_of(request, status)
    _announce(event, request)
    return event


def _announce(event: AuthFailure, request: Optional[HttpRequest]) -> None:
    logger.warning(
        "%s", json.dumps({"event": "auth_failure", **event._asdict()}, ensure_ascii=True),  # one line for any input
        extra={"auth_failure": event})
    if event.status == 503:
        _outages.write(event.reason, "authentication is unavailable, requests are answered 503: %s", event.detail or event.reason)
    for receiver, problem in auth_failure.send_robust(sender=AuthFailure, event=event, request=request):
        if isinstance(problem, Exception):
            logger.error("a receiver of auth_failure failed: %r with %s", receiver, type(problem).__name__)


def _note_loss(why: Union[Answer, Exception], count: int = 1) -> None:
    """Logs reports that may be missing from the audit log. libclaimsd sends their number with the next report."""
    cause = {"reason": type(why).__name__} if isinstance(why, Exception) else {"reason": why.reason, "text": why.text}
    logger.error("%s", json.dumps({"event": "report_lost", "count": count, **cause}))


def _report_of(event: AuthFailure, request: HttpRequest, runtime: Runtime) -> Report:
    token = bearer_of(request.META)
    cookie = runtime.settings.cookie
    if token is None and cookie is not None:
        token = request.COOKIES.get(cookie)
    trace_id = request.META.get("HTTP_TRACEPARENT")
    return Report(event, token if isinstance(token, str) else None, None if trace_id is None else str(trace_id))


def _event_of(request: HttpRequest, status: int) -> AuthFailure:
    state = state_of(request)
    answer, claims = state.latest.answer, state.latest.claims
    user_id = getattr(getattr(request, "user", None), "pk", None)
    if user_id is None and claims is not None:
        user_id = claims.id
    return AuthFailure(
        status, _reason(status, answer), request.method or "", route_of(request) or "", state.required, "" if user_id is None else str(user_id),
        address_of(request.META, current(state.latest.upstream).settings.client_address_meta), detail_of(answer))


def address_of(meta: Dict[str, Any], member: str) -> str:
    """The client's address, or "" if the value is not an address. Behind a proxy a client may send any value there, even a token."""
    address = str(meta.get(member) or "")
    if not _ADDRESS.fullmatch(address) or address in str(meta.get("HTTP_AUTHORIZATION", "")):
        return ""
    return address


def _reason(status: int, answer: Optional[Answer]) -> str:
    if answer is not None:
        return str(answer.reason)
    return "no_token" if status == 401 else "denied"


def detail_of(answer: Optional[Answer]) -> str:
    """The sentence for the operator, if the answer is an outage."""
    return str(answer.text) if answer is not None and answer.verdict == UNAVAILABLE else ""


def route_of(request: HttpRequest) -> Optional[str]:
    match = request.resolver_match
    return None if match is None else match.route
