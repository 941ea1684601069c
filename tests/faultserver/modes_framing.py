"""Modes of the connection and HTTP framing: timing, size, order and end of the bytes."""

import asyncio
import gzip
import json

from mode import CLAIMS, OTHER_CLAIMS, UNAVAILABLE, VALID, Mode, says, static
from plumbing import chunk, response

OK = response(200, CLAIMS)
CLOSE = [("Connection", "close")]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = HEAD + b"Connection: close\r\n\r\n"
BODY_70K = json.dumps({**json.loads(CLAIMS), "padding": "x" * (70 * 1024)}).encode()
BODY_300K = json.dumps({**json.loads(CLAIMS), "padding": "x" * (300 * 1024)}).encode()
BODY_12K = json.dumps({**json.loads(CLAIMS), "padding": "x" * (12 * 1024)}).encode()
# 32 MiB of spaces, which JSON allows, before valid claims.
GZIP_BOMB = gzip.compress(b" " * (32 * 1024 * 1024) + CLAIMS, mtime=0)
GZIPPED = (("Content-Encoding", "gzip"),)


async def delay(exchange):
    await asyncio.sleep(exchange.params[0] / 1000)
    exchange.send(OK)


async def trickle(exchange):
    for position in range(len(OK)):
        exchange.send(OK[position : position + 1])
        await asyncio.sleep(0.001)


async def slow_headers(exchange):
    exchange.send(HEAD + b"X-Slow: ")
    while True:
        exchange.send(b"x")
        await asyncio.sleep(0.05)


async def slow_body(exchange):
    exchange.send(HEAD + b"Content-Length: 60000\r\n\r\n")
    while True:
        exchange.send(b" ")
        await asyncio.sleep(0.05)


async def endless_headers(exchange):
    exchange.send(HEAD)
    number = 0
    while True:
        await exchange.flood(b"X-Filler-%d: %s\r\n" % (number, b"x" * 1000))
        number += 1


async def endless_interim(exchange):
    while True:
        await exchange.flood(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        await asyncio.sleep(0.001)


async def endless_chunks(exchange):
    exchange.send(CHUNKED)
    while True:
        await exchange.flood(chunk(b" " * 4096))


async def endless_body(exchange):
    exchange.send(UNTIL_CLOSE)
    while True:
        await exchange.flood(b" " * 4096)


async def stale_close(exchange):
    exchange.send(OK)
    await asyncio.sleep(0.02)
    exchange.close()


def stale_race(exchange):
    if exchange.connection.requests > 1:
        exchange.close()
    else:
        exchange.send(OK)


# An unsolicited second response, which a client must not use.
EXTRA = OK + response(200, OTHER_CLAIMS)

MODES = [
    static("ok", "plain 200 with id, email and role", VALID, OK),
    says("ok-close", "200 with Connection: close", VALID, CLAIMS, headers=CLOSE),
    static("ok-http10", "HTTP/1.0 200, then close", VALID, OK.replace(b"1.1", b"1.0", 1), "close"),
    static("ok-no-length", "no length: the body ends with the connection", VALID, UNTIL_CLOSE + CLAIMS, "close"),
    static("ok-no-reason", "status line without a reason phrase", VALID, OK.replace(b" OK", b" ", 1)),
    static(
        "ok-chunked",
        "chunked, in three chunks",
        VALID,
        CHUNKED + chunk(CLAIMS[:7]) + chunk(CLAIMS[7:20]) + chunk(CLAIMS[20:]) + b"0\r\n\r\n",
    ),
    static(
        "ok-chunked-trailers",
        "chunked, with extensions and a trailer",
        VALID,
        CHUNKED + b"%x;a=b\r\n%s\r\n0\r\nX-Trailer: 1\r\n\r\n" % (len(CLAIMS), CLAIMS),
    ),
    static("ok-interim-100", "100 Continue first", VALID, b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
    static(
        "ok-interim-103",
        "103 Early Hints with a Link first",
        VALID,
        b"HTTP/1.1 103 Early Hints\r\nLink: </x.css>; rel=preload\r\n\r\n" + OK,
    ),
    says("ok-12k", "12 KiB of valid claims", VALID, BODY_12K),
    Mode("ok-trickle", "one byte per millisecond", VALID, trickle),
    Mode("delay-N", "200 after N ms", VALID, delay, "delay-150"),
    Mode("stale-close", "200; closes the idle connection 20 ms later", VALID, stale_close),
    Mode("stale-race", "200; closes the connection on its second request", VALID, stale_race),
    static("extra-response", "200, followed by an unsolicited response", VALID, EXTRA),
    static("silence", "reads the request, never answers", UNAVAILABLE, b"", "hang"),
    static("close", "closes the connection without an answer", UNAVAILABLE, b"", "close"),
    static("reset", "resets the connection without an answer", UNAVAILABLE, b"", "reset"),
    static("cut-status-line", "closes within the status line", UNAVAILABLE, b"HTTP/1.1 2", "close"),
    static("cut-headers", "closes within the headers", UNAVAILABLE, HEAD[:-9], "close"),
    static("cut-body", "closes 5 bytes before the end of the body", UNAVAILABLE, OK[:-5], "close"),
    static(
        "cut-body-complete-json",
        "valid claims, but Content-Length is larger",
        UNAVAILABLE,
        HEAD + b"Content-Length: 100\r\n\r\n" + CLAIMS,
        "close",
    ),
    static("cut-chunked", "the last chunk is missing", UNAVAILABLE, CHUNKED + chunk(CLAIMS), "close"),
    Mode("slow-headers", "one header byte per 50 ms, without end", UNAVAILABLE, slow_headers),
    Mode("slow-body", "one body byte per 50 ms, without end", UNAVAILABLE, slow_body),
    static("headers-then-silence", "headers, then silence", UNAVAILABLE, OK[: -len(CLAIMS)], "hang"),
    Mode("endless-headers", "headers without end", UNAVAILABLE, endless_headers),
    Mode("endless-interim", "103 responses without end", UNAVAILABLE, endless_interim),
    Mode("endless-chunks", "chunks without end", UNAVAILABLE, endless_chunks),
    Mode("endless-body", "a body without length and end", UNAVAILABLE, endless_body),
    static(
        "huge-header",
        "one header of 1 MiB",
        UNAVAILABLE,
        HEAD + b"X-Huge: " + b"x" * (1024 * 1024) + b"\r\n" + OK[len(HEAD) :],
    ),
    says("body-70k", "70 KiB of claims", VALID, BODY_70K),
    says("body-300k", "300 KiB of claims", UNAVAILABLE, BODY_300K),
    static(
        "body-300k-chunked",
        "as body-300k, chunked",
        UNAVAILABLE,
        CHUNKED + b"".join(chunk(BODY_300K[i : i + 1024]) for i in range(0, len(BODY_300K), 1024))
        + b"0\r\n\r\n",
    ),
    static(
        "length-terabyte",
        "Content-Length of 1 TiB, then silence",
        UNAVAILABLE,
        HEAD + b"Content-Length: 1099511627776\r\n\r\n" + CLAIMS,
        "hang",
    ),
    static(
        "length-negative",
        "Content-Length: -5",
        UNAVAILABLE,
        HEAD + b"Content-Length: -5\r\n\r\n" + CLAIMS,
        "close",
    ),
    static(
        "bad-chunk-size",
        "a chunk size that is not a number",
        UNAVAILABLE,
        CHUNKED + b"zz\r\n" + CLAIMS + b"\r\n0\r\n\r\n",
        "close",
    ),
    static("garbage", "bytes that are not HTTP", UNAVAILABLE, b"\x00\x01\xfe\xff" * 16, "close"),
    static(
        "garbage-status-line",
        "a status line without a status code",
        UNAVAILABLE,
        OK.replace(b"200 OK", b"fine thanks", 1),
        "close",
    ),
    static("http09", "claims without a status line (HTTP/0.9)", UNAVAILABLE, CLAIMS, "close"),
    says("gzip", "gzip, although the request did not accept it", UNAVAILABLE, gzip.compress(CLAIMS), 200, GZIPPED),
    says("gzip-bomb", "32 KiB of gzip that expand to 32 MiB", UNAVAILABLE, GZIP_BOMB, 200, GZIPPED),
]
