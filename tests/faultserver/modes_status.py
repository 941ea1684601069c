"""Modes with unusual status codes and headers. Only 200 and 401 are verdicts on a token."""

import email.utils
import time

from mode import CLAIMS, INVALID, UNAVAILABLE, VALID, Mode, says
from plumbing import response

DETAIL = b'{"detail":"Given token not valid for any token type","code":"token_not_valid"}'
HTML = b"<!doctype html><html><body><h1>Welcome to the airport</h1></body></html>"
BEARER = ("WWW-Authenticate", 'Bearer realm="api"')
# Statuses whose responses have no body.
BODILESS = {101, 204, 205, 304}
STATUSES = [101, 201, 202, 203, 204, 205, 206, 300, 304, 400, 403, 404, 405, 407, 408, 410, 418]
STATUSES += [425, 429, 431, 451, 500, 501, 502, 503, 504, 511, 599, 999]
COOKIE = [("Set-Cookie", "a=b")]
REDIRECTS = [301, 302, 303, 307, 308]
GOOD_DATE_SECONDS = 30


def any_status(exchange):
    """Valid claims under any status: the status must win."""
    status = exchange.params[0]
    exchange.send(response(status, b"" if status in BODILESS else CLAIMS))


def retry_after_seconds(exchange):
    status, seconds = exchange.params
    exchange.send(response(status, b"{}", [("Retry-After", seconds)]))


def retry_after_date(exchange):
    moment = email.utils.formatdate(time.time() + GOOD_DATE_SECONDS, usegmt=True)
    exchange.send(response(503, b"{}", [("Retry-After", moment)]))


def redirect_same_host(exchange):
    exchange.send(response(exchange.params[0], b"", [("Location", "/redirect-target/api/me/")]))


def redirect_other_port(exchange):
    location = f"http://127.0.0.1:{exchange.state.trap_port}/api/me/"
    exchange.send(response(exchange.params[0], b"", [("Location", location)]))


def alt_svc(exchange):
    service = f'h2="127.0.0.1:{exchange.state.trap_port}"; ma=3600'
    exchange.send(response(200, CLAIMS, [("Alt-Svc", service)]))


def max_age(exchange):
    age = [("Age", seconds) for seconds in exchange.params[1:]]
    exchange.send(response(200, CLAIMS, [("Cache-Control", f"max-age={exchange.params[0]}"), *age]))


def cached(name, value, does):
    """A valid answer with this Cache-Control; `does` says how long it may be cached."""
    return says(name, does, VALID, CLAIMS, 200, [("Cache-Control", value)])


def unready(name, value, does):
    does = f"503 with Retry-After: {does}"
    return says(name, does, UNAVAILABLE, b"{}", 503, [("Retry-After", value)])


def _redirects():
    for status in REDIRECTS:
        does = f"{status} to /redirect-target/ on this server; must not be followed"
        name = "redirect-N"
        yield Mode(name, does, UNAVAILABLE, redirect_same_host, f"redirect-{status}")
        does = f"{status} to the proxy trap's port; must not be followed"
        name = "redirect-N-other-port"
        yield Mode(name, does, UNAVAILABLE, redirect_other_port, f"redirect-{status}-other-port")
    for name, location in [("file", "file:///etc/passwd"), ("loop", "/redirect-302-loop/api/me/")]:
        headers = [("Location", location)]
        yield says(f"redirect-302-{name}", f"302 to {location}", UNAVAILABLE, b"", 302, headers)
    yield says("redirect-target", "the target of the redirects: 200", VALID, CLAIMS)


def _statuses():
    for status in STATUSES:
        does = f"status {status}" + ("" if status in BODILESS else ", valid claims in the body")
        yield Mode("status-N", does, UNAVAILABLE, any_status, f"status-{status}")
    for status, seconds in [(429, 7), (503, 7), (503, 0), (503, 999999999)]:
        does = f"{status} with Retry-After: {seconds}"
        example = f"status-{status}-retry-after-{seconds}"
        yield Mode("status-N-retry-after-M", does, UNAVAILABLE, retry_after_seconds, example)


MODES = [
    says("401", "401 as simplejwt sends it", INVALID, DETAIL, 401, [BEARER]),
    says("401-empty", "401 without a body or a challenge", INVALID, b"", 401),
    says("401-html", "401 with HTML", INVALID, HTML, 401, content_type="text/html"),
    says("401-claims", "401 with valid claims: still a rejection", INVALID, CLAIMS, 401, [BEARER]),
    says("401-basic", "401 with a challenge for Basic", INVALID, b"", 401, [("WWW-Authenticate", "Basic")]),
    *_statuses(),
    Mode("status-503-retry-after-date", "503, HTTP-date 30 s ahead", UNAVAILABLE, retry_after_date),
    unready("status-503-retry-after-past", "Thu, 01 Jan 1970 00:00:00 GMT", "a date in the past"),
    unready("status-503-retry-after-negative", "-7", "-7"),
    unready("status-503-retry-after-garbage", "soon", "soon"),
    *_redirects(),
    says("empty-200", "200 with no body", UNAVAILABLE, b""),
    says("html-200", "200 with HTML (a captive portal)", UNAVAILABLE, HTML, 200, (), "text/html"),
    says("jwt-200", "200 with a signed document", UNAVAILABLE, b"eyJhbGciOiJub25lIn0.e30.", 200, (), "application/jwt"),
    says("html-200-as-json", "HTML labeled as JSON", UNAVAILABLE, HTML),
    says("content-type-none", "valid claims without a Content-Type", VALID, CLAIMS, content_type=None),
    says("content-type-html", "valid claims as text/html", VALID, CLAIMS, content_type="text/html"),
    says("set-cookie", "200 with a cookie that must not be sent back", VALID, CLAIMS, 200, COOKIE),
    Mode("alt-svc", "200 with an alternative service (the trap) that must not be used", VALID, alt_svc),
    Mode("max-age-N", "TTL of at most N s", VALID, max_age, "max-age-2"),
    Mode("max-age-N-age-M", "TTL of at most N - M s", VALID, max_age, "max-age-30-age-28"),
    cached("max-age-huge", "max-age=99999999999999999999", "max-age beyond 64 bits: does not extend the TTL"),
    cached("max-age-garbage", "max-age=later", "max-age that is not a number: must not be cached"),
    cached("no-store", "no-store", "must not be cached"),
    cached("no-cache", "no-cache", "must not be used again without a request"),
]
