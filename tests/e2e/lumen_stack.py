"""The whole flow as processes: Auth API, claimsd, two backends (Lumen, the notices), nginx with the
built front end.

    lumen_stack.py --build DIR --front-end DIR [--server gunicorn|uvicorn]

Used by the demo and by the browser's test. As a command it serves the test: prints one JSON object
when all is up, then reads one command per line (ORDERS below) and answers each with one JSON
object; ends with its standard input.
"""

import argparse
import contextlib
import json
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[1:1] = [str(HERE.parent / "system"), str(HERE.parent / "authapi"), str(HERE.parent / "support")]

from accounts.seed import PEOPLE  # noqa: E402
from daemon import Claimsd  # noqa: E402
from front import Front  # noqa: E402
from lumen_server import SERVERS, LumenServer  # noqa: E402
from notices_server import NoticesServer  # noqa: E402
from servers import AuthApi  # noqa: E402

# Short TTLs, so that changes in the Auth API become visible soon.
CACHE = {"max_ttl": "4s", "lease": "2s", "negative_ttl": "1s", "clock_skew": "1s"}
LIMITS = {"max_backoff": "1s"}
CLINICIANS = ["rvt", "doctor", "admin"]
GATES = {"http.gate.clinicians": {"roles": CLINICIANS}}
REPORTED = ("denied", "unauthenticated", "reported_unavailable")
ID_OF = {username: user for user, username, *_ in PEOPLE}


class LumenStack:
    """A context manager; all files are in a temporary directory, which it removes."""

    def __init__(self, build, front_end, server="gunicorn", access_seconds=60, refresh_seconds=3600, port=0):
        self._build = pathlib.Path(build).resolve()
        self._files = pathlib.Path(front_end).resolve()
        self._server = server
        self._lives = (access_seconds, refresh_seconds)
        self._port = port
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self._root = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lumen-")))
            self._root.chmod(0o755)
            self._auth_port = 0
            self._start_auth_api()
            stack.callback(lambda: self.auth_api.stop())
            self.claimsd = stack.enter_context(Claimsd(self._build, self._root / "claimsd", self.auth_api.url, cache=CACHE, limits=LIMITS, **GATES).serve_http().start())
            self.lumen = stack.enter_context(LumenServer(
                self._server, self._root / "lumen", self._build / "python", self.auth_api.url, self.claimsd.socket))
            self.notices = stack.enter_context(NoticesServer(self._root / "notices", CLINICIANS))
            sockets = {"auth": self._auth_socket, "lumen": self.lumen.socket, "notices": self.notices.socket, "claimsd": self.claimsd.http_socket}
            self.front = stack.enter_context(Front(self._root / "front", self._files, sockets, self._port))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *what):
        return self._stack.__exit__(*what)

    @property
    def url(self):
        return self.front.url

    @property
    def _auth_socket(self):
        return self._root / "auth.sock"

    def _start_auth_api(self):
        access, refresh = self._lives
        self.auth_api = AuthApi(self._root / "authapi", "--port", str(self._auth_port), "--unix", str(self._auth_socket),
                                "--access-seconds", str(access), "--refresh-seconds", str(refresh))
        self._auth_port = self.auth_api.port

    # ---- controls for tests and people -----------------------------------------------------------

    def outage(self):
        """Stops the Auth API."""
        self.auth_api.stop()

    def recover(self):
        """Starts the Auth API again."""
        if self.auth_api.process.poll() is not None:
            self._start_auth_api()

    def lives(self, access, refresh):
        """Sets the lifetime of new tokens, in seconds."""
        self._lives = (float(access), float(refresh))
        self.outage()
        self.recover()

    def revoke(self, username):
        """`claimsctl revoke --user`: revokes all tokens issued to the user so far."""
        return self.claimsctl("revoke", "--user", ID_OF[username])

    def refusals(self):
        """The denials by Lumen's workers, as found by `claimsctl audit`."""
        found = self.claimsctl("--json", "audit", "search", "--limit", "0", "--directory", str(self.claimsd.root / "audit"))
        return [record for record in map(json.loads, found.splitlines()) if record["event"] in REPORTED]

    def logs(self):
        """The logs of all parts."""
        return {"claimsd": self.claimsd.log(), "lumen": self.lumen.log(), "notices": self.notices.log(), "nginx": self.front.log()}

    def claimsctl(self, *arguments):
        binary = self._build / "client" / "claimsctl" / "claimsctl"
        done = subprocess.run([str(binary), *arguments, "--admin-socket", str(self.claimsd.admin_socket)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise RuntimeError(f"claimsctl {' '.join(arguments)} exited with status {done.returncode}: {done.stderr}")
        return done.stdout.strip()


ORDERS = ("outage", "recover", "lives", "revoke", "refusals", "logs")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, help="the build directory, with claimsd, claimsctl and python/")
    parser.add_argument("--front-end", required=True, help="the built front end")
    parser.add_argument("--server", choices=SERVERS, default="gunicorn")
    arguments = parser.parse_args()
    with LumenStack(arguments.build, arguments.front_end, arguments.server) as stack:
        print(json.dumps({"url": stack.url}), flush=True)
        for line in sys.stdin:
            name, *words = line.split()
            try:
                if name not in ORDERS:
                    raise ValueError(f"no such command: {name}; choose from {', '.join(ORDERS)}")
                said = {"done": getattr(stack, name)(*words)}
            except Exception as error:  # reported to the test, which then fails
                said = {"failed": f"{type(error).__name__}: {error}"}
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
