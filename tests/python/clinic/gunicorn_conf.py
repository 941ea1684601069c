"""For the servers under test: writes the port to a descriptor, and looks up a token before it forks."""

import os

bind = "127.0.0.1:0"
preload_app = True
loglevel = "error"
graceful_timeout = 1
keepalive = 60
worker_tmp_dir = "/dev/shm"


def when_ready(server):
    with os.fdopen(int(os.environ["CLINIC_READY_FD"]), "w") as ready:
        ready.write(f"{server.LISTENERS[0].sock.getsockname()[1]}\n")
