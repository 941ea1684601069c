"""Keeps tokens out of Django's exception reports: the page of DEBUG, and the mail to ADMINS.

A report shows the request's headers and cookies and the local variables of every frame. Django 3.2 to 5.2 hide neither the Authorization header nor
cookies. install() removes both from the reports of this process, and the token itself from every other text in them. It needs no setting and also
covers requests that never reach this package. It replaces one method of django.views.debug.ExceptionReporter, which subclasses inherit.
"""

import functools
import re
from typing import Any, Callable, Dict, Optional, Pattern

from django.views.debug import ExceptionReporter

HIDDEN = "********************"  # the text that Django uses
HEADERS = frozenset(("HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION", "HTTP_COOKIE", "HTTP_SEC_WEBSOCKET_PROTOCOL"))
SHORTEST = 8  # characters of a secret; shorter ones would match ordinary words
PREFIX = 16  # characters; Django cuts long texts, so a token may be shown in part


def install() -> None:
    original = ExceptionReporter.get_traceback_data
    if hasattr(original, "hides_tokens"):
        return

    @functools.wraps(original)
    def get_traceback_data(self: Any) -> Any:
        return redacted(original(self), self.request)

    setattr(get_traceback_data, "hides_tokens", True)
    setattr(ExceptionReporter, "get_traceback_data", get_traceback_data)


def redacted(data: Dict[str, Any], request: Any) -> Dict[str, Any]:
    """Returns the data of a report without the credentials of the request."""
    if request is None:
        return data
    hide = _hiding(request)
    meta = {name: HIDDEN if name in HEADERS else value for name, value in dict(data.get("request_meta") or {}).items()}
    cookies = {name: HIDDEN for name in request.COOKIES}
    hidden = {name: hide(value) for name, value in data.items() if name not in ("request_meta", "request_COOKIES_items", "request")}
    return {**hidden, "request": request, "request_meta": hide(meta), "request_COOKIES_items": cookies.items()}


def _hiding(request: Any) -> Callable[[Any], Any]:
    secrets = [str(request.META.get(name, "")).partition(" ")[2] for name in ("HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION")]
    secrets += [str(value) for value in request.COOKIES.values()]
    patterns = [_pattern(secret.strip()) for secret in secrets if len(secret.strip()) >= SHORTEST]
    pattern: Optional[Pattern[str]] = re.compile("|".join(patterns)) if patterns else None

    def hide(value: Any) -> Any:
        if isinstance(value, str):
            return value if pattern is None else pattern.sub(HIDDEN, value)
        if type(value) is dict:
            return {name: hide(one) for name, one in value.items()}
        if type(value) in (list, tuple):
            return type(value)(hide(one) for one in value)
        return value

    return hide


def _pattern(secret: str) -> str:
    """Matches the secret and every longer prefix of it that a cut may have left."""
    return re.escape(secret) + "|" + re.escape(secret[:PREFIX]) + "[0-9A-Za-z._~+/=-]*"
