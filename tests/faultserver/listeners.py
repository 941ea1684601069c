"""Listeners with special behavior: the proxy trap, one that is silent, one that never accepts, the
door."""

import asyncio
import json
import socket
import weakref

from plumbing import response
from tls import mutual_context

TRAPPED = json.dumps({"id": "user-trapped", "email": "trapped@example.com", "role": "admin"})


class Trap:
    """A listener that no client may ever contact. Counts connections and bytes.

    Answers as a valid Auth API would, so that a client that follows gets a wrong user as well.
    """

    def __init__(self):
        self.reset()

    def reset(self):
        self.connections = 0
        self.bytes = 0
        self.contains_bearer = False

    def as_json(self):
        return vars(self)

    def protocol(self):
        return TrapConnection(self)


class TrapConnection(asyncio.Protocol):
    def __init__(self, trap):
        self._trap = trap
        self._heard = b""

    def connection_made(self, transport):
        self._transport = transport
        self._trap.connections += 1

    def data_received(self, data):
        self._trap.bytes += len(data)
        self._heard += data
        if b"bearer " in self._heard.lower():
            self._trap.contains_bearer = True
        if b"\r\n\r\n" in self._heard:
            self._heard = b""
            self._transport.write(response(200, TRAPPED.encode()))


class Mute(asyncio.Protocol):
    """Accepts everything and sends nothing: for a TLS client, a handshake that never ends."""


class FullBacklog:
    """A port whose connections never complete, because its accept queue is full (listen(2)).

    Keep the object: its sockets fill the queue.
    """

    def __init__(self, host="127.0.0.1", port=0):
        self._listener = socket.socket()
        self._host = host
        self._listener.bind((host, port))
        self._listener.listen(0)
        self.port = self._listener.getsockname()[1]
        # A backlog of 0 holds one connection; the further ones make sure.
        self._fillers = [self._connect() for _ in range(3)]

    def _connect(self):
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex((self._host, self.port))
        return filler


class Door:
    """A port that works until it is shut; then it refuses connections (ECONNREFUSED).

    `factory` makes the protocols, which have a `transport`. A socket that does not listen reserves
    the port meanwhile.
    """

    def __init__(self, factory, context=None):
        self._factory = factory
        self._context = context
        self._server = None
        self._guests = weakref.WeakSet()
        self._reserved = self._bound(0)
        self.port = self._reserved.getsockname()[1]

    @staticmethod
    def _bound(port):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", port))
        return sock

    def _let_in(self):
        guest = self._factory()
        self._guests.add(guest)
        return guest

    async def open(self):
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                self._let_in, sock=self._bound(self.port), ssl=self._context, backlog=1024)

    def shut(self):
        if self._server is None:
            return
        self._server.close()
        self._server = None
        for guest in list(self._guests):
            if guest.transport is not None:
                guest.transport.abort()


class Rotating:
    """https_rotating: a port that changes its certificates for new connections.

    The new listener starts before the old one stops, so that no connection is refused.
    """

    def __init__(self, directory, factory, context):
        self._directory = directory
        self._factory = factory
        self._context = context
        self._server = None
        self.port = 0

    async def open(self):
        loop = asyncio.get_running_loop()
        before = self._server
        self._server = await loop.create_server(
            self._factory, "127.0.0.1", self.port, ssl=self._context, backlog=1024, reuse_port=True)
        self.port = self._server.sockets[0].getsockname()[1]
        if before is not None:
            before.close()

    async def rotate(self, server, clients):
        self._context = mutual_context(self._directory, "https_rotating", server, clients)
        await self.open()
