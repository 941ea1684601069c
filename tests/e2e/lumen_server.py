"""Lumen under gunicorn or uvicorn, on a Unix socket that listens before the server starts: early
connections wait until it serves."""

import http.client
import os
import pathlib
import secrets
import socket
import subprocess

from running import PATIENCE, Running
from servers import PYTHON

HERE = pathlib.Path(__file__).resolve().parent
WORKERS = 4
SERVERS = {
    "gunicorn": ["gunicorn", "lumen.wsgi", "--preload", "--graceful-timeout", "1", "--worker-tmp-dir", "/dev/shm", "--log-level", "warning", "--bind", "fd://{fd}"],
    "uvicorn": ["uvicorn", "lumen.asgi:application", "--lifespan", "off", "--log-level", "warning", "--no-access-log", "--fd", "{fd}"],
}


class LumenServer(Running):
    """`site`: the directory with the installed package auth_integration."""

    def __init__(self, kind, root, site, auth_api_url, claimsd_socket):
        self.root = pathlib.Path(root)
        self.root.mkdir(mode=0o755)
        self.socket = self.root / "lumen.sock"
        environment = {
            **os.environ, "PYTHONPATH": f"{site}:{HERE}", "PYTHONDONTWRITEBYTECODE": "1", "LUMEN_DATA": str(self.root),
            "LUMEN_SECRET_KEY": secrets.token_hex(32), "LUMEN_AUTH_API_URL": auth_api_url, "LUMEN_CLAIMSD_SOCKET": str(claimsd_socket)}
        subprocess.run([PYTHON, "-B", "-m", "lumen.prepare"], env=environment, cwd=self.root, check=True, stdin=subprocess.DEVNULL)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.socket))
            listener.listen(512)
            command = [word.format(fd=listener.fileno()) for word in SERVERS[kind]]
            self.run([PYTHON, "-B", "-W", "ignore", "-m", *command, "--workers", str(WORKERS)],
                     env=environment, cwd=self.root, pass_fds=[listener.fileno()])
        self._wait_until_it_serves(kind)

    def _wait_until_it_serves(self, kind):
        connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(PATIENCE)
        try:
            connection.sock.connect(str(self.socket))
            connection.request("GET", "/api/session/")
            status = connection.getresponse().status
        except OSError as error:
            status = error
        finally:
            connection.close()
        if status != 401:
            self.stop()
            raise RuntimeError(f"Lumen under {kind} answered {status} instead of 401:\n{self.log()}")
