"""Tokens for tests. Their signatures are not checked here: the fault server accepts everything."""

import base64
import hashlib
import json
import time


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(**claims):
    """A JWT with these claims and a meaningless signature."""
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    return ".".join([*(base64url(json.dumps(part).encode()) for part in parts), "c2lnbmF0dXJl"])


def old_token(name):
    """A JWT that was issued a minute ago."""
    return jwt(sub=name, iat=int(time.time()) - 60)


def user_of(token):
    """The id that the fault server's `echo` and `gate` derive from a token."""
    return "user-" + hashlib.sha256(token.encode()).hexdigest()[:8]
