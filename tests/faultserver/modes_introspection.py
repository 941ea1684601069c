"""Introspection endpoints (RFC 7662), one for each client authentication.

The client is CLIENT_ID with CLIENT_SECRET, whose characters must be encoded. A token inactive-... is
not active, bound-... is bound to a key, other-... is for another audience; any other is active and
its claims are derived from it.
"""

import base64
import json
import time
import urllib.parse

from mode import UNAVAILABLE, Mode
from plumbing import response, user_of

CLIENT_ID = "lumen daemon"
CLIENT_SECRET = "s:cret%+"
FORM = b"application/x-www-form-urlencoded"
TTL_SECONDS = 300


def is_basic(request, _form):
    scheme, _, value = (request.header(b"authorization") or b"").partition(b" ")
    if scheme != b"Basic":
        return False
    name, _, secret = base64.b64decode(value).decode().partition(":")
    return (urllib.parse.unquote_plus(name), urllib.parse.unquote_plus(secret)) == (CLIENT_ID, CLIENT_SECRET)


def is_post(request, form):
    given = (form.get("client_id"), form.get("client_secret"))
    return request.header(b"authorization") is None and given == (CLIENT_ID, CLIENT_SECRET)


def is_certificate(request, form):
    """TLS has checked the certificate; the form names the client."""
    return request.header(b"authorization") is None and form.get("client_id") == CLIENT_ID


def document_for(token):
    if token.startswith("inactive-"):
        return {"active": False}
    user = user_of(token.encode())
    document = {
        "active": True, "id": user, "sub": user, "email": f"{user}@example.com", "role": "rvt",
        "exp": int(time.time()) + TTL_SECONDS, "aud": ["stats", "lumen"], "client_id": "front-end",
    }  # fmt: skip
    if token.startswith("other-"):
        document["aud"] = "stats"
    if token.startswith("bound-"):
        document["cnf"] = {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}
    return document


def endpoint(is_ours):
    def answer(exchange):
        request = exchange.request
        if request.method != b"POST" or request.header(b"content-type") != FORM:
            return exchange.send(response(400, b'{"error":"invalid_request"}'))
        form = dict(urllib.parse.parse_qsl(request.body.decode(), strict_parsing=True))
        if not is_ours(request, form):
            return exchange.send(response(401, b'{"error":"invalid_client"}'))
        if form.get("token_type_hint") != "access_token" or not form.get("token"):
            return exchange.send(response(400, b'{"error":"invalid_request"}'))
        return exchange.send(response(200, json.dumps(document_for(form["token"])).encode()))

    return answer


def _modes():
    checks = {"basic": is_basic, "post": is_post, "certificate": is_certificate}
    for name, is_ours in checks.items():
        does = f"introspection for a client that authenticates by {name}; a GET gets 400"
        yield Mode(f"introspection-{name}", does, UNAVAILABLE, endpoint(is_ours))


MODES = list(_modes())
