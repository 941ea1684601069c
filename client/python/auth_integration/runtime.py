"""What a process keeps: one reading of the settings and the transport that they ask for. Made at the first request, so after any fork of
a pre-forking server; made anew after setting_changed and in forked children. Any thread."""

import os
import threading
from typing import Any, Optional

from django.core.signals import setting_changed

from auth_integration.conf import Settings
from auth_integration.transports.base import Transport
from auth_integration.users import ClaimsUser


class Runtime:
    __slots__ = ("settings", "transport", "known", "stock_users", "vary")

    def __init__(self, settings: Settings, transport: Transport) -> None:
        self.settings = settings
        self.transport = transport
        # Then the users that came with the claims will do.
        self.stock_users = settings.user_resolver is None and settings.user_class is ClaimsUser
        self.known = transport.known
        self.vary = "Authorization" if settings.cookie is None else "Authorization, Cookie"


_lock = threading.Lock()
_current: Optional[Runtime] = None


def make_transport(settings: Settings) -> Transport:
    if settings.transport == "direct":
        from auth_integration.transports.direct import DirectTransport

        return DirectTransport(settings)
    from auth_integration.transports.daemon import DaemonTransport

    return DaemonTransport(settings)


def current() -> Runtime:
    found = _current
    return found if found is not None else _make()


def _make() -> Runtime:
    global _current
    with _lock:
        if _current is None:
            settings = Settings()
            settings.require()
            _current = Runtime(settings, make_transport(settings))
        return _current


def replace(transport: Optional[Transport]) -> None:
    """For tests: serves with this transport until replace(None), which returns to what the settings say."""
    global _current
    settings = Settings()
    with _lock:
        old, _current = _current, None if transport is None else Runtime(settings, transport)
    if old is not None and old.transport is not transport:
        old.transport.close()


def _reload(*, setting: Any, **_: Any) -> None:
    global _current
    if setting not in ("AUTH_API_URL", "AUTH_INTEGRATION", "CACHES", "SECRET_KEY"):
        return
    with _lock:
        old = _current
        if old is not None and old.transport.outlives_settings:
            _current = Runtime(Settings(), old.transport)
            return
        _current = None
    if old is not None:
        old.transport.close()


def _begin_anew_in_child() -> None:
    """A child decides for itself: a server may put gevent under it after the fork. Where this hook does not run (uWSGI), what was inherited works on."""
    global _lock, _current
    _lock = threading.Lock()
    if _current is not None and not _current.transport.outlives_settings:
        _current = None


setting_changed.connect(_reload)
os.register_at_fork(after_in_child=_begin_anew_in_child)
