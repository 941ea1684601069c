"""Queries claimsd through libclaimsd (the extension `_claimsd`)."""

import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Dict, Optional, Tuple

from django.core.exceptions import ImproperlyConfigured

from auth_integration.claims import claims_from_daemon
from auth_integration.conf import MISSING_EXTENSION, Settings
from auth_integration.events import Report
from auth_integration.reasons import Answer, answer_of
from auth_integration.transports.base import Found, Identity, Lost, Meta, Outcome, Transport, identity_of

if TYPE_CHECKING:
    from auth_integration.transports.event_loop import LoopStream
    from auth_integration.transports.gevent_hub import HubStream

try:
    from auth_integration import _claimsd
except ImportError as error:
    raise ImproperlyConfigured(MISSING_EXTENSION.format('TRANSPORT is "daemon"')) from error


def _plain(text: Optional[str]) -> Optional[str]:
    """UTF-8 without NUL, as the protocol requires. None for an empty text."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?") if text else None


def _arguments_of(report: Report, timeout_ms: int) -> Dict[str, Any]:
    """The arguments of Handle.report(), except for the status."""
    event = report.event
    return {
        "token": report.token, "reason": event.reason, "user": _plain(event.user_id), "method": _plain(event.method), "route": _plain(event.route),
        "required": _plain(" ".join(one.replace('"', "").replace(", ", ",") for one in event.required)),
        "client_address": _plain(event.client_address), "trace_id": _plain(report.trace_id), "timeout_ms": timeout_ms}


def under_gevent() -> bool:
    """Whether a blocking call would stall a hub: gevent has replaced the sockets of this process."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("socket"))


def milliseconds(max_age: Optional[float]) -> int:
    return _claimsd.ANY_AGE if max_age is None else min(int(max_age * 1000), _claimsd.ANY_AGE - 1)


class DaemonTransport(Transport):
    """Connects at the first lookup. A handle inherited by fork() makes its own connections."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._timeout_ms = max(1, int(settings.timeout * 1000))
        id_claim = settings.id_claim

        def make(document: str, id: str, email: str, roles: Tuple[str, ...], truncated: bool) -> Identity:
            return identity_of(claims_from_daemon(document, id, email, roles, truncated, id_claim))

        self.handle = _claimsd.Handle(
            make, socket=settings.socket, upstream=settings.api_url or None, client_name=settings.client_name, timeout_ms=self._timeout_ms,
            max_connections=settings.max_connections,
            daemon_uid=_claimsd.ANY_TRUSTED_UID if settings.daemon_uid is None else settings.daemon_uid)
        self._report_timeout_ms = max(1, int(settings.report_timeout * 1000))
        self._report_waits = settings.report_wait
        self._logged_no_reports = False
        self._counting = threading.Lock()
        self._losses = 0  # reports that were passed to `lost`
        self._address_meta = settings.client_address_meta
        self._loops = threading.local()
        self._gevent = under_gevent()
        self.known = self.handle.known  # type: ignore[assignment]  # saves a call

    # ---- queries ---------------------------------------------------------------------------------

    def identify(self, meta: Dict[str, Any], route: Optional[str]) -> Found:
        if self._gevent or self._address_meta != "REMOTE_ADDR":
            return super().identify(meta, route)
        found = self.handle.identify(meta, route)  # reads the header and the hints from META
        return answer_of(found) if type(found) is str else found  # type: ignore[return-value]

    def query(self, token: str, meta: Meta, route: Optional[str], max_age: Optional[float] = None) -> Outcome:
        if self._gevent:
            return self._hub().query(token, self._hints(meta), route, self._timeout_ms, milliseconds(max_age))
        if max_age is not None:
            identity, answer = self.handle.query(token, meta=self._hints(meta), route=route, max_age_ms=milliseconds(max_age))
            return answer if identity is None else identity
        found = self.handle.identify_token(token, self._hints(meta), route)
        return answer_of(found) if type(found) is str else found  # type: ignore[return-value]

    async def query_async(self, token: str, meta: Meta, route: Optional[str], max_age: Optional[float] = None) -> Outcome:
        return await self._loop().query(token, self._hints(meta), route, self._timeout_ms, milliseconds(max_age))

    def _hints(self, meta: Meta) -> Meta:
        if meta is None or self._address_meta == "REMOTE_ADDR":
            return meta
        return {"REMOTE_ADDR": meta.get(self._address_meta), "HTTP_TRACEPARENT": meta.get("HTTP_TRACEPARENT"),
                "REQUEST_METHOD": meta.get("REQUEST_METHOD")}

    def _hub(self) -> "HubStream":
        from auth_integration.transports.gevent_hub import HubStream

        found: Optional[HubStream] = getattr(self._loops, "hub", None)
        if found is None or found.tagged.pid != os.getpid():
            found = self._loops.hub = HubStream(self.handle)
        return found

    def _loop(self) -> "LoopStream":
        from auth_integration.transports.event_loop import LoopStream

        return LoopStream.of_running_loop(self._loops, self.handle)

    # ---- reports ---------------------------------------------------------------------------------

    def report(self, report: Report, lost: Lost) -> None:
        status, arguments = report.event.status, _arguments_of(report, self._report_timeout_ms)
        if not self._report_waits:
            self._send_report(status, arguments, lost)
        elif self._gevent:
            self._pass_on(self._hub().report(status, arguments), lost)
        else:
            self._pass_on(self.handle.report(status, await_record=True, **arguments), lost)

    async def report_async(self, report: Report, lost: Lost) -> None:
        status, arguments = report.event.status, _arguments_of(report, self._report_timeout_ms)
        if self._report_waits:
            self._pass_on(await self._loop().report(status, arguments), lost)
        else:
            self._send_report(status, arguments, lost)

    def _send_report(self, status: int, arguments: Dict[str, Any], lost: Lost) -> None:
        """Does not block, so event loops and hubs call it as well."""
        why_not = self.handle.report(status, **arguments)
        self._pass_on(why_not, lost)
        self._count_earlier(0 if why_not is None else 1, lost)

    def _pass_on(self, why_not: Optional[Answer], lost: Lost) -> None:
        """Passes the reason of a loss on. "no_reports" (the daemon accepts none) is passed on once."""
        if why_not is None:
            return
        if why_not.reason == "no_reports":
            if self._logged_no_reports:
                return
            self._logged_no_reports = True
        lost(why_not, 1)

    def _count_earlier(self, known: int, lost: Lost) -> None:
        """Passes on the reports that were sent earlier and have been lost since; `known` losses were passed on already."""
        if not self._counting.acquire(blocking=False):
            return  # another thread counts; waiting could deadlock on a lock that was held during a fork
        count = int(self.handle.statistics()["reports_lost"])
        before = self._losses if count >= self._losses else 0  # a forked child counts from 0
        self._losses = count
        self._counting.release()
        if count - before > known:
            lost(answer_of("not_recorded"), count - before - known)

    # ---- the rest --------------------------------------------------------------------------------

    def describe(self) -> Tuple[bool, str]:
        socket = self.settings.socket or _claimsd.DEFAULT_SOCKET
        took_ns, answer = self.handle.ping()
        if answer is None:
            return True, f"claimsd answered on {socket} in {(took_ns or 0) / 1e6:.2f} ms"
        return False, f"claimsd on {socket}: {answer.text}"

    def close(self) -> None:
        self.handle.close()
