"""A mode: a name in the path, what the server does, and what a careful client concludes."""

import inspect
import re
from dataclasses import dataclass
from typing import Callable

from plumbing import response

VALID = "valid"  # the claims in the body are valid
INVALID = "invalid"  # the Auth API rejected the token
UNAVAILABLE = "unavailable"  # no verdict; must never be taken for a rejection

# The claims of modes that answer properly, unless they are derived from the token.
CLAIMS = b'{"id":"user-123","email":"tess@example.com","role":"rvt"}'
# Another user's claims, placed where a careless client would use them.
OTHER_CLAIMS = b'{"id":"user-666","email":"mallory@example.com","role":"admin"}'


@dataclass(frozen=True)
class Mode:
    """A row of the table. N and M in the name stand for numbers; `example` has them filled in."""

    name: str
    does: str
    verdict: str
    run: Callable  # run(exchange): answers immediately, or is a coroutine function
    example: str = ""

    @property
    def path(self):
        return self.example or self.name

    @property
    def pattern(self):
        """A regular expression for the name; None if it has no parameters."""
        if not self.example:
            return None
        return re.compile(re.sub(r"\b[NM]\b", r"(\\d{1,12})", self.name))

    @property
    def is_async(self):
        return inspect.iscoroutinefunction(self.run)


def static(name, does, verdict, data, then="keep"):
    """A mode that sends fixed bytes and then keeps, closes, resets or hangs the connection."""

    def answer(exchange):
        exchange.send(data)
        if then == "close":
            exchange.close()
        elif then == "reset":
            exchange.reset()

    async def answer_and_hang(exchange):
        exchange.send(data)
        await exchange.hang()

    return Mode(name, does, verdict, answer_and_hang if then == "hang" else answer)


def says(name, does, verdict, body, status=200, headers=(), content_type="application/json"):
    """A mode with correct HTTP: status, headers and a body with its length."""
    return static(name, does, verdict, response(status, body, headers, content_type))
