"""Modes whose answers depend on the token or the test: echo, junk-refused, gate, script.

A script is a JSON list of steps. Each request of `/script-NAME/...` takes the next step; the last
one repeats. A step is {"status": 200, "delay_ms": 0, "headers": {}, "body": ...}, where body is a
string (sent unchanged) or any JSON; without a body, a 200 has claims derived from the token. Or a
step is {"mode": "reset"}: the behavior of that mode. With "gate": true the request is first held
until POST /_open?mode=script-NAME.
"""

import asyncio
import json

from mode import VALID, Mode
from plumbing import response, user_of


def derived_claims(request):
    user = user_of(request.token())
    claims = {"id": user, "email": f"{user}@example.com", "role": "rvt"}
    return json.dumps(claims).encode()


def echo(exchange):
    if exchange.request.token() is None:
        exchange.send(response(401, b"{}", [("WWW-Authenticate", "Bearer")]))
    else:
        exchange.send(response(200, derived_claims(exchange.request)))


def junk_refused(exchange):
    if (exchange.request.token() or b"").startswith(b"junk-"):
        exchange.send(response(401, b"{}", [("WWW-Authenticate", "Bearer")]))
    else:
        echo(exchange)


async def gate(exchange):
    await exchange.state.gate(exchange.request.mode).wait()
    echo(exchange)


def step_body(step, request):
    body = step.get("body")
    if body is None:
        derives = step.get("status", 200) == 200 and request.token() is not None
        return derived_claims(request) if derives else b""
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


async def script(exchange):
    name = exchange.request.mode[len("script-") :]
    step = exchange.state.next_step(name)
    if step is None:
        error = {"error": f"no script {name}: POST /_script/{name} first"}
        exchange.send(response(500, json.dumps(error).encode()))
        return
    if step.get("gate"):
        await exchange.state.gate(exchange.request.mode).wait()
    await asyncio.sleep(step.get("delay_ms", 0) / 1000)
    if "mode" in step:
        answering = exchange.state.run_mode(step["mode"], exchange)
        if answering is not None:
            await answering
        return
    body = step_body(step, exchange.request)
    headers = list(step.get("headers", {}).items())
    exchange.send(response(step.get("status", 200), body, headers))


MODES = [
    Mode("echo", "immediate 200; the claims are derived from the token", VALID, echo),
    Mode("junk-refused", "as echo, but a token junk-... is rejected with 401", VALID, junk_refused),
    Mode("gate", "waits for POST /_open, then as echo", VALID, gate),
]
# Matched by prefix and not in the table of verdicts, because the test chooses their answers.
PREFIXES = [
    Mode("gate-NAME", "as gate, opened separately by POST /_open?mode=gate-NAME", VALID, gate),
    Mode("script-NAME", "the steps set by POST /_script/NAME", "any", script),
]
