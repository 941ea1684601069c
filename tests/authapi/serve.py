#!/usr/bin/python3
"""The Auth API of the contract as one command: a real Django with simplejwt, for demo and tests.

    serve.py --data DIR [--port N] [--unix PATH] [--port-file FILE] [--ready-fd N]
             [--access-seconds N] [--refresh-seconds N] [--workers N]

Migrates and seeds DIR/authapi.sqlite3, serves on 127.0.0.1 (and PATH), writes its port once it
accepts, and ends on SIGTERM or with the process that started it. Logs errors only, never a token.
Users and passwords: accounts/seed.py. `GET /stats` counts requests.
"""

import argparse
import os
import sys

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))

from process import announce, die_with_parent  # noqa: E402
from settings import configure  # noqa: E402


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, metavar="DIR", help="database and signing key")
    parser.add_argument("--port", type=int, default=0, help="0 (the default): any free one")
    parser.add_argument("--unix", metavar="PATH", help="serve on this Unix socket as well")
    parser.add_argument("--port-file", metavar="FILE", help="write the port here when ready")
    parser.add_argument("--ready-fd", type=int, metavar="N", help="write the port to this fd too")
    parser.add_argument("--access-seconds", type=float, default=300, help="life of access tokens")
    parser.add_argument("--refresh-seconds", type=float, default=86400, help="of refresh tokens")
    parser.add_argument("--workers", type=int, default=1, help="processes (16 threads each)")
    return parser.parse_args()


def make_application():
    """Migrates, seeds and builds the WSGI application. Closes the database connection before the
    fork."""
    import django
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.db import connection, connections

    django.setup()
    with connection.cursor() as cursor:
        # Readers (every /api/me/) and the writer (logout) do not block each other.
        cursor.execute("PRAGMA journal_mode=WAL")
    call_command("migrate", verbosity=0)

    from accounts.seed import seed

    seed()
    application = get_wsgi_application()
    connections.close_all()

    from stats import Stats

    return Stats(application)


def main():
    arguments = parse_arguments()
    die_with_parent()
    os.makedirs(arguments.data, mode=0o700, exist_ok=True)
    configure(
        os.path.abspath(arguments.data), arguments.access_seconds, arguments.refresh_seconds
    )
    application = make_application()

    from server import Server

    binds = [f"127.0.0.1:{arguments.port}"]
    if arguments.unix:
        binds.append(f"unix:{os.path.abspath(arguments.unix)}")

    def on_ready(port):
        announce(str(port), arguments.port_file, arguments.ready_fd)

    Server(application, binds, arguments.workers, os.path.abspath(arguments.data), on_ready).run()


if __name__ == "__main__":
    main()
