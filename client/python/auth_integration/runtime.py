"""The state of a process for each Auth API: its settings and its transport. Created at the first request, so after a pre-forking server has forked;
created again after setting_changed and in forked children. Any thread."""

import logging
import os
import threading
from typing import Any, Dict, Optional
from urllib.parse import urlsplit

from django.apps import apps
from django.core.signals import setting_changed

from auth_integration import redaction, in_tests
from auth_integration.conf import Settings, is_loopback
from auth_integration.transports.base import Transport
from auth_integration.users import ClaimsUser

logger = logging.getLogger("auth_integration")


class Runtime:
    __slots__ = ("settings", "upstream", "transport", "known", "stock_users", "vary")

    def __init__(self, settings: Settings, transport: Transport) -> None:
        self.settings = settings
        self.upstream = settings.upstream
        self.transport = transport
        # True: request.user is the ClaimsUser that comes with the claims.
        self.stock_users = settings.user_resolver is None and settings.user_class is ClaimsUser
        self.known = transport.known
        self.vary = "Authorization" if settings.cookie is None else "Authorization, Cookie"


_lock = threading.Lock()
_current: Optional[Runtime] = None
_others: Dict[str, Runtime] = {}  # by name in UPSTREAMS
_fake: Optional[Transport] = None  # serves every Auth API


def make_transport(settings: Settings) -> Transport:
    if settings.transport == "direct":
        from auth_integration.transports.direct import DirectTransport

        return DirectTransport(settings)
    from auth_integration.transports.daemon import DaemonTransport

    return DaemonTransport(settings)


def current(upstream: str = "") -> Runtime:
    """The runtime of this Auth API; "": that of AUTH_API_URL. ImproperlyConfigured if the settings are wrong."""
    found = _others.get(upstream) if upstream else _current
    return found if found is not None else _make(upstream)


def _make(upstream: str) -> Runtime:
    global _current
    with _lock:
        found = _others.get(upstream) if upstream else _current
        if found is not None:
            return found
        settings = Settings(upstream)
        if _fake is None:
            settings.require_valid()
            _require_fake_in_tests(settings)
        elif upstream:
            settings.require_valid()
        made = Runtime(settings, make_transport(settings) if _fake is None else _fake)
        if upstream:
            _others[upstream] = made
        else:
            _current = made
    if _fake is None:
        _log_choice(settings)
    return made


def _require_fake_in_tests(settings: Settings) -> None:
    host = urlsplit(settings.api_url).hostname
    if in_tests.is_active() and not is_loopback(host):
        raise RuntimeError(
            f"this test would query the real Auth API at {settings.api_url}: enter auth_integration.testing.FakeAuthApi (or use ClaimsTestCase, or the "
            "pytest fixture fake_auth_api); a test that is meant to query it enters auth_integration.testing.real_auth_api()")


def _log_choice(settings: Settings) -> None:
    if not settings.choice.explicit and settings.transport == "direct":
        logger.info("querying the Auth API at %s directly, without claimsd: %s", settings.api_url, settings.choice.reason)
    if not apps.is_installed("auth_integration"):  # then `manage.py check` does not run the system checks
        from auth_integration.checks import check_all

        for problem in check_all(settings.upstream):
            logger.log(problem.level, "%s %s. %s", problem.id, problem.msg, problem.hint)


def replace(transport: Optional[Transport]) -> Optional[Transport]:
    """For tests: uses this transport for every Auth API; None restores the transports of the settings. Returns the previous argument."""
    global _fake
    before, _fake = _fake, transport
    _forget()
    return before


def _forget() -> None:
    """Closes the transports of the settings; the next request creates new ones."""
    global _current, _others
    with _lock:
        old = [*([] if _current is None else [_current]), *_others.values()]
        _current, _others = None, {}
    for runtime in old:
        if not runtime.transport.outlives_settings:
            runtime.transport.close()


def _reload(*, setting: Any, **_: Any) -> None:
    if setting in ("AUTH_API_URL", "AUTH_INTEGRATION", "CACHES", "SECRET_KEY"):
        _forget()


def _start_again_in_child() -> None:
    """A child creates its own transports, because a server may install gevent after the fork. Without this hook (uWSGI does not run it) the inherited
    transports still work."""
    global _lock, _current, _others
    _lock = threading.Lock()
    _current, _others = None, {}


setting_changed.connect(_reload)
os.register_at_fork(after_in_child=_start_again_in_child)
redaction.install()
