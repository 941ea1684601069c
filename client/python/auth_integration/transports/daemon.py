"""Asking claimsd, by libclaimsd (the extension `_claimsd`)."""

import os
import sys
import threading
from typing import TYPE_CHECKING, Any, Dict, Optional, Tuple, Union

from auth_integration.claims import claims_from_daemon
from auth_integration.conf import Settings
from auth_integration.reasons import Answer, answer_of
from auth_integration.transports.base import Found, Identity, Lost, Transport, identity_of

if TYPE_CHECKING:
    from auth_integration.audit import Report
    from auth_integration.transports.event_loop import LoopAsker
    from auth_integration.transports.gevent_hub import HubAsker

try:
    from auth_integration import _claimsd
except ImportError as error:
    from django.core.exceptions import ImproperlyConfigured

    raise ImproperlyConfigured(
        "AUTH_INTEGRATION['TRANSPORT'] is \"daemon\", but the extension auth_integration._claimsd is not built: install a C++ compiler, "
        "python3-dev and libssl-dev and install this package again, or set it to \"direct\"") from error


def _make(document: str, id: str, email: str, roles: Tuple[str, ...]) -> Identity:
    return identity_of(claims_from_daemon(document, id, email, roles))


def _plain(text: Optional[str]) -> Optional[str]:
    """What the wire takes: UTF-8 without NUL. None for nothing."""
    return text.encode("utf-8", "replace").decode().replace("\0", "?") if text else None


def _arguments_of(report: "Report", timeout_ms: int) -> Dict[str, Any]:
    """Those of Handle.report(), besides the status."""
    event = report.event
    return {
        "token": report.token, "reason": event.reason, "user": _plain(event.user_id), "method": _plain(event.method), "route": _plain(event.route),
        "required": _plain(" ".join(one.replace('"', "").replace(", ", ",") for one in event.required)),
        "client_address": _plain(event.client_address), "trace_id": _plain(report.trace_id), "timeout_ms": timeout_ms}


def under_gevent() -> bool:
    """Whether a blocking call would stall a hub: gevent has replaced the sockets of this process."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("socket"))


class DaemonTransport(Transport):
    """Connects at the first question; a handle that was inherited by fork() connects anew by itself."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._timeout_ms = max(1, int(settings.timeout * 1000))
        self.handle = _claimsd.Handle(
            _make, socket=settings.socket, upstream=settings.api_url or None, client_name=settings.client_name, timeout_ms=self._timeout_ms,
            max_connections=settings.max_connections,
            daemon_uid=_claimsd.ANY_TRUSTED_UID if settings.daemon_uid is None else settings.daemon_uid)
        self._report_timeout_ms = max(1, int(settings.report_timeout * 1000))
        self._report_waits = settings.report_wait
        self._told_of_no_reports = False
        self._counting = threading.Lock()
        self._losses = 0  # reports, as far as they were told
        self._address_meta = settings.client_address_meta
        self._loops = threading.local()
        self._gevent = under_gevent()
        self.known = self.handle.known  # type: ignore[assignment]  # spares a call in between

    def identify(self, meta: Dict[str, Any], route: Optional[str]) -> Found:
        if self._gevent or self._address_meta != "REMOTE_ADDR":
            return super().identify(meta, route)
        found = self.handle.identify(meta, route)  # finds in META what it looks for
        return answer_of(found) if type(found) is str else found  # type: ignore[return-value]

    def ask(self, token: str, meta: Optional[Dict[str, Any]], route: Optional[str]) -> Union[Identity, Answer]:
        if self._gevent:
            return self._ask_in_hub(token, meta, route)
        found = self.handle.identify_token(token, self._hints(meta), route)
        return answer_of(found) if type(found) is str else found  # type: ignore[return-value]

    def _hints(self, meta: Optional[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
        if meta is None or self._address_meta == "REMOTE_ADDR":
            return meta
        return {"REMOTE_ADDR": meta.get(self._address_meta), "HTTP_TRACEPARENT": meta.get("HTTP_TRACEPARENT"),
                "REQUEST_METHOD": meta.get("REQUEST_METHOD")}

    # ---- reports ---------------------------------------------------------------------------------

    def report(self, report: "Report", lost: Lost) -> None:
        status, arguments = report.event.status, _arguments_of(report, self._report_timeout_ms)
        if not self._report_waits:
            self._send_report(status, arguments, lost)
        elif self._gevent:
            self._tell(self._hub().report(status, arguments), lost)
        else:
            self._tell(self.handle.report(status, await_record=True, **arguments), lost)

    async def report_async(self, report: "Report", lost: Lost) -> None:
        status, arguments = report.event.status, _arguments_of(report, self._report_timeout_ms)
        if self._report_waits:
            self._tell(await self._loop().report(status, arguments), lost)
        else:
            self._send_report(status, arguments, lost)

    def _send_report(self, status: int, arguments: Dict[str, Any], lost: Lost) -> None:
        """Blocks nobody, a thread as little as an event loop or a hub."""
        why_not = self.handle.report(status, **arguments)
        self._tell(why_not, lost)
        self._tell_of_earlier(0 if why_not is None else 1, lost)

    def _tell(self, why_not: Optional[Answer], lost: Lost) -> None:
        """That the daemon takes no reports at all is said once."""
        if why_not is None:
            return
        if why_not.reason == "no_reports":
            told, self._told_of_no_reports = self._told_of_no_reports, True
            if told:
                return
        lost(why_not, 1)

    def _tell_of_earlier(self, known: int, lost: Lost) -> None:
        """Of reports that were on their way and have turned out to be lost since; `known` of all losses have just been told."""
        if not self._counting.acquire(blocking=False):
            return  # another thread tells; nor is a lock waited for that a fork may have left locked
        count = int(self.handle.statistics()["reports_lost"])
        before = self._losses if count >= self._losses else 0  # a forked child begins anew
        self._losses = count
        self._counting.release()
        if count - before > known:
            lost(answer_of("not_recorded"), count - before - known)

    # ---- without blocking ------------------------------------------------------------------------

    def _hub(self) -> "HubAsker":
        from auth_integration.transports.gevent_hub import HubAsker

        asker: Optional[HubAsker] = getattr(self._loops, "hub", None)
        if asker is None or asker.pid != os.getpid():
            asker = self._loops.hub = HubAsker(self.handle)
        return asker

    def _loop(self) -> "LoopAsker":
        from auth_integration.transports.event_loop import LoopAsker

        return LoopAsker.of_running_loop(self._loops, self.handle)

    def _ask_in_hub(self, token: str, meta: Optional[Dict[str, Any]], route: Optional[str]) -> Union[Identity, Answer]:
        return self._hub().ask(token, self._hints(meta), route, self._timeout_ms)

    async def ask_async(self, token: str, meta: Optional[Dict[str, Any]], route: Optional[str]) -> Union[Identity, Answer]:
        return await self._loop().ask(token, self._hints(meta), route, self._timeout_ms)

    def describe(self) -> Tuple[bool, str]:
        socket = self.settings.socket or _claimsd.DEFAULT_SOCKET
        took_ns, answer = self.handle.ping()
        if answer is None:
            return True, f"claimsd answered on {socket} in {(took_ns or 0) / 1e6:.2f} ms"
        return False, f"claimsd on {socket}: {answer.text}"

    def close(self) -> None:
        self.handle.close()
