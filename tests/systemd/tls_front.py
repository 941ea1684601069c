"""The Auth API by its public name, on port 443, over TLS. Forwards bytes to a server on the
loopback.

Uses an unusual loopback address, because port 443 of the usual one may be taken. Needs root for
the port, as all tests here do.
"""

import socket
import socketserver
import ssl
import threading

from cryptography import x509
from faultserver.tls import Issuer

ADDRESS = "127.0.53.44"
PATIENCE = 30


class TlsFront:
    """Use as a context manager; `authority` is then the PEM file of the signing authority."""

    def __init__(self, directory, name, port):
        issuer = Issuer(directory, "an authority of this network")
        issuer.write_own("authority")
        issuer.write_leaf("front", name, [x509.DNSName(name)])
        self.authority = directory / "authority.pem"
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(directory / "front.pem", directory / "front.key")
        front = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                try:
                    with front.context.wrap_socket(self.request, server_side=True) as client:
                        front.pass_on(client, port)
                except OSError:  # including ssl.SSLError: the client has disconnected
                    pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server((ADDRESS, 443), Handler)

    @staticmethod
    def pass_on(client, port):
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as server:
            back = threading.Thread(target=TlsFront.pump, args=(server, client), daemon=True)
            back.start()
            TlsFront.pump(client, server)
            server.shutdown(socket.SHUT_WR)
            back.join(PATIENCE)

    @staticmethod
    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            pass

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
