#!/usr/bin/python3
"""An Auth API that misbehaves on demand, like a bad network or a bad server.

    serve.py [--port-file FILE] [--ready-fd N] [--tls-dir DIR]
    serve.py --list | --list-json

`GET /MODE/api/me/` is answered in that mode, so an upstream URL is http://127.0.0.1:PORT/MODE. Once
all listeners accept, the port file gets JSON: {"http": p, "door": p, "proxy_trap": p, "tcp_full":
p} and, with --tls-dir, "https", "https_wrong_name", ... For control requests see control.py.
Listens on 127.0.0.1 only, logs nothing, and ends on SIGTERM or with the process that started it.
"""

import argparse
import asyncio
import json
import os
import signal
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

import modes  # noqa: E402
from control import Control  # noqa: E402
from http2 import Http2Connection, http2_context  # noqa: E402
from listeners import Door, FullBacklog, Mute, Rotating, Trap  # noqa: E402
from plumbing import Connection, response  # noqa: E402
from process import announce, die_with_parent  # noqa: E402
from state import State  # noqa: E402
from tls import make_contexts  # noqa: E402

BLACK_HOLE = "127.0.0.2"  # with the port of https: the connection is never established
ELSEWHERE = "127.0.0.3"  # with the port of https_door: where that service has moved to


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port-file", metavar="FILE", help="write the ports here when ready")
    parser.add_argument("--ready-fd", type=int, metavar="N", help="also write the ports to this descriptor")
    parser.add_argument("--tls-dir", metavar="DIR", help="create certificates here and serve TLS")
    parser.add_argument("--list", action="store_true", help="print the modes as text")
    parser.add_argument("--list-json", action="store_true", help="print the modes as JSON")
    return parser.parse_args()


def run_mode(name, exchange):
    """Starts answering in that mode: None if done, else the coroutine that continues."""
    found = modes.find(name)
    if found is None:
        error = {"error": f"no such mode: {name}; list them with serve.py --list"}
        exchange.send(response(404, json.dumps(error).encode()))
        return None
    mode, exchange.params = found
    return mode.run(exchange)


async def until_end(state, record, answering):
    try:
        await answering
    finally:
        state.end(record)


class Dispatcher:
    """Passes control requests to Control; records all others and passes them to their mode."""

    def __init__(self):
        self._control = Control(modes.as_json)

    def __call__(self, exchange):
        if exchange.request.path.startswith("/_"):
            return self._control.dispatch(exchange)
        state = exchange.state
        record = state.begin(exchange)
        answering = state.run_mode(exchange.request.mode, exchange)
        if answering is not None:
            return until_end(state, record, answering)
        state.end(record)
        return None


async def open_door(state, ports, name, factory, context=None):
    door = Door(factory, context)
    await door.open()
    ports[name] = door.port
    state.doors.append(door)


async def start_all(state, tls_dir):
    """Starts every listener; returns {name: port}."""
    loop = asyncio.get_running_loop()
    dispatcher = Dispatcher()
    ports = {}

    async def listen(name, factory, context=None):
        server = await loop.create_server(factory, "127.0.0.1", 0, ssl=context, backlog=1024)
        ports[name] = server.sockets[0].getsockname()[1]

    def connection():
        return Connection(state, dispatcher)

    await listen("http", connection)
    await open_door(state, ports, "door", connection)
    await listen("proxy_trap", state.trap.protocol)
    if tls_dir:
        contexts = make_contexts(tls_dir)
        state.rotating = Rotating(tls_dir, connection, contexts.pop("https_rotating"))
        await state.rotating.open()
        ports["https_rotating"] = state.rotating.port
        for name, context in contexts.items():
            await listen(name, connection, context)
        await open_door(state, ports, "https_door", connection, contexts["https"])
        await loop.create_server(connection, ELSEWHERE, ports["https_door"], ssl=contexts["https"])
        await listen("https_http2", lambda: Http2Connection(state), http2_context(tls_dir))
        await listen("https_silent", Mute)
    state.trap_port = ports["proxy_trap"]
    return ports


def ignore_broken_clients(loop, context):
    """Failed handshakes and resets are expected here; anything else is a bug of the server."""
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)


async def serve(arguments):
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(ignore_broken_clients)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    die_with_parent()
    state = State(Trap(), run_mode)
    ports = await start_all(state, arguments.tls_dir)
    backlogs = [FullBacklog()]  # open until the server ends
    if arguments.tls_dir:
        backlogs.append(FullBacklog(BLACK_HOLE, ports["https"]))
    ports["tcp_full"] = backlogs[0].port
    announce(json.dumps(ports), arguments.port_file, arguments.ready_fd)
    await stop.wait()


def main():
    arguments = parse_arguments()
    if arguments.list:
        print(modes.as_text())
    elif arguments.list_json:
        print(json.dumps(modes.as_json(), indent=1))
    else:
        asyncio.run(serve(arguments))


if __name__ == "__main__":
    main()
