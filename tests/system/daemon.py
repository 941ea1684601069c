"""Configures, starts, inspects and stops a real claimsd in a temporary directory.

Standard library only; used by the tests and by demo.py. All files of a daemon are below its `root`:
configuration, sockets, cache, key, log. Waits are for READY=1 on a NOTIFY_SOCKET (sd_notify(3)) or
for the process, never for a fixed time.
"""

import http.client
import json
import os
import pathlib
import select
import signal
import socket
import subprocess

PATIENCE = 30  # seconds after which an expected event counts as missing
SANITIZER_MARKS = ("Sanitizer", "runtime error:", "WARNING: ThreadSanitizer")


def sanitized(build):
    """True for sanitizer builds, which are slower and keep freed memory."""
    cache = (build / "CMakeCache.txt").read_text()
    return any(line.startswith("CLAIMSD_SANITIZE:") and not line.endswith("=") for line in cache.splitlines())


class StartFailed(Exception):
    """The daemon exited instead of becoming ready. Has its output and exit code."""

    def __init__(self, code, printed):
        super().__init__(f"claimsd exited with status {code} instead of becoming ready:\n{printed}")
        self.code = code
        self.printed = printed


def toml_value(value):
    """JSON scalars are valid TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml_value(member)}" for key, member in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value)


def toml(tables):
    """{"daemon": {...}, "upstream.main": {...}} as TOML."""
    lines = []
    for name, options in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {toml_value(value)}" for key, value in options.items()]
    return "\n".join(lines) + "\n"


class Claimsd:
    """`options`: tables of the configuration. `upstream`: a URL, or a table, for
    [upstream.main]."""

    def __init__(self, build, root, upstream=None, **options):
        self.root = pathlib.Path(root)
        self.root.mkdir(exist_ok=True)
        self.binary = pathlib.Path(build) / "daemon" / "claimsd"
        self.config_file = self.root / "claimsd.toml"
        self.log_file = self.root / "log"
        self.socket = self.root / "c.sock"
        self.admin_socket = self.root / "a.sock"
        self.http_socket = self.root / "h.sock"
        self.cache = self.root / "cache"
        self.key_file = self.root / "host.key"
        self.process = None
        self._notified = None
        self.tables = self._defaults()
        if upstream is not None:
            self.tables["upstream.main"] = {"url": upstream} if isinstance(upstream, str) else dict(upstream)
        for name, table in options.items():
            self.tables[name] = {**self.tables.get(name, {}), **table}

    def _defaults(self):
        return {
            "daemon": {"socket": str(self.socket), "admin_socket": str(self.admin_socket)},
            "cache": {"directory": str(self.cache), "key_file": str(self.key_file), "ttl_jitter_percent": 0},
            "revocations": {"directory": str(self.root / "revocations")},
            "audit": {"directory": str(self.root / "audit")},
            "log": {"format": "text", "level": "debug"},
        }

    def serve_http(self):
        """Configures the HTTP socket. Before start()."""
        self.tables["http"] = {"socket": str(self.http_socket), **self.tables.get("http", {})}
        self.tables = dict(sorted(self.tables.items()))  # a table before its subtables
        return self

    # ---- start and stop --------------------------------------------------------------------------

    def start(self, env=None, prefix=(), arguments=()):
        """Starts it and waits until it is ready; `prefix` is put before its command line,
        `arguments` after it."""
        self.config_file.write_text(toml(self.tables))
        notify = self.root / "notify"
        notify.unlink(missing_ok=True)
        self._notified = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._notified.bind(str(notify))
        environment = {**os.environ, **(env or {}), "NOTIFY_SOCKET": str(notify)}
        # It dies with the process that started it, however that ends.
        command = ["setpriv", "--pdeathsig", "KILL", *prefix, str(self.binary), "--config", str(self.config_file),
                   *arguments]
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not self.wait_notified("READY=1"):
            code = self.process.wait(PATIENCE)
            self._close()
            raise StartFailed(code, self.log())
        return self

    def wait_notified(self, wanted):
        """Waits for this line of a notification; False if the process ends first."""
        pidfd = os.pidfd_open(self.process.pid)
        try:
            while True:
                ready, _, _ = select.select([self._notified, pidfd], [], [], PATIENCE)
                if not ready:
                    raise TimeoutError(f"claimsd did not report {wanted} within {PATIENCE} s:\n{self.log()}")
                if self._notified not in ready:
                    return False
                if wanted in self._notified.recv(4096).decode().split("\n"):
                    return True
        finally:
            os.close(pidfd)

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self):
        """Waits for the process to end; returns the exit code."""
        code = self.process.wait(PATIENCE)
        self._close()
        complaints = [mark for mark in SANITIZER_MARKS if mark in self.log()]
        assert not complaints, self.log()
        return code

    def stop(self):
        """Stops it cleanly."""
        self.signal()
        code = self.wait()
        assert code == 0, f"exit code {code}:\n{self.log()}"

    def kill(self):
        """Kills it, as a crash would."""
        self.signal(signal.SIGKILL)
        self.process.wait(PATIENCE)
        self._close()

    def restart(self):
        self.stop()
        return self.start()

    def _close(self):
        self._notified.close()
        self.process = None

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, *_):
        if self.process is None:
            return
        if kind is None and self.process.poll() is None:
            self.stop()
        else:
            self.kill()

    # ---- inspection ------------------------------------------------------------------------------

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def check(self, *options):
        """The result of `--check` on its configuration: (exit code, output)."""
        self.config_file.write_text(toml(self.tables))
        return run_check(self.binary, self.config_file, *options)

    def admin(self, path, order=None):
        """(status, body) of a GET on the admin socket, or of a POST if there is an `order`."""
        connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(PATIENCE)
        connection.sock.connect(str(self.admin_socket))
        try:
            if order is None:
                connection.request("GET", path)
            else:
                connection.request("POST", path, json.dumps(order))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def status(self):
        status, body = self.admin("/v1/status")
        assert status == 200
        return json.loads(body)

    def counter(self, name):
        return self.status()["counters"][name]

    def resident_kib(self):
        """Anonymous memory. The audit log's mapped file grows, but its pages belong to the page cache
        (proc_pid_status(5))."""
        with open(f"/proc/{self.process.pid}/status") as lines:
            return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def run_check(binary, config_file, *options):
    done = subprocess.run([str(binary), "--config", str(config_file), "--check", *options],
                          capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stdout + done.stderr
