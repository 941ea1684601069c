"""Secret tokens, claims and an email that must not appear, in any encoding, where they could be
read."""

import base64
import time

from tokens import jwt

TOKENS = [jwt(sub=f"canary-subject-{number}", exp=int(time.time()) + 3600) for number in range(50)]
BAD_TOKENS = [
    b"canary-token-\r\nX-Canary: 1", b"canary token", b"canary-token-" + b"x" * 20_000,
    jwt(sub="canary-subject-old", exp=1000).encode()]
CLAIMS = {"id": "canary-id-4711", "email": "canary.mail@example.com", "role": ["canary-role"], "note": "canary-claim",
          "list": [{"deep": "canary-deep"}]}
SECRETS = [
    *TOKENS, *(token.split(".")[1] for token in TOKENS), "canary-token-", "canary-subject-", "canary-id-4711",
    "canary.mail@example.com", "canary-role", "canary-claim", "canary-deep", "canary-header", "canary-reason"]


def readings(secret):
    """The bytes of a secret as they are, in hex, and in base64 at each alignment."""
    data = secret.encode()
    yield data
    yield data.hex().encode()
    for offset in range(3):
        inner = base64.b64encode(b"\0" * offset + data)[4 if offset else 0:]
        yield inner[: len(inner) - 4]


NEEDLES = [(secret, reading) for secret in SECRETS for reading in readings(secret)]


def found_in(data, but=()):
    """The secrets that occur in `data`, without those in `but`."""
    return sorted({secret for secret, reading in NEEDLES if secret not in but and reading in data})
