"""A daemon whose sockets are held open by another process, as by systemd."""

import os
import socket
import subprocess
import time

from daemon import toml

WAITS_8_S = {"CLAIMSD_TIMEOUT_MS": "8000"}
FAST = 2.0  # seconds for a whole query, of which the worker may use 8


class HeldSockets:
    """Listening sockets that stay open while no daemon runs, as those of systemd do."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.listening = []
        for path in (daemon.socket, daemon.admin_socket):
            path.unlink(missing_ok=True)
            self.listening.append(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC))
            self.listening[-1].bind(str(path))
            self.listening[-1].listen(64)
        self.process = None

    def start(self, crashes=0):
        """Starts a daemon with them as descriptors 3 and 4 (sd_listen_fds(3)), and with the count of crashes at the start as 5."""
        self.daemon.config_file.write_text(toml(self.daemon.tables))
        count = os.memfd_create("starts")
        os.write(count, crashes.to_bytes(4, "little"))

        def pass_sockets():
            passed = [*(one.fileno() for one in self.listening), count]
            high = [os.dup2(fd, 100 + number) for number, fd in enumerate(passed)]
            for number, fd in enumerate(high):
                os.dup2(fd, 3 + number)

        command = 'LISTEN_PID=$$ LISTEN_FDS=3 LISTEN_FDNAMES=claims:admin:starts exec "$@"'
        with open(self.daemon.log_file, "ab") as log:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "sh", "-c", command, "sh", self.daemon.binary, "--config", self.daemon.config_file],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=pass_sockets, close_fds=False)
        os.close(count)
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for one in self.listening:
            one.close()


def asked(worker, daemon):
    """The answer to one query, and how long it took."""
    asking = worker(daemon, "ask", env=WAITS_8_S)
    began = time.monotonic()
    return asking.ask("token"), time.monotonic() - began
