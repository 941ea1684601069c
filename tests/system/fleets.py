"""A fleet for tests: a real Redis or Valkey on loopback and several daemons on this host.

Standard library only; used by the tests and by demo.py. The user of Redis may do what the ACL line
in the documentation allows, and no more.
"""

import contextlib
import functools
import os
import pathlib
import shutil
import signal
import subprocess
import time

from daemon import Claimsd
from peer import Peer, until
from servers import free_port
from tokens import old_token

NAME = "test"
PATIENCE = 30
EVERYWHERE = ("--everywhere", "--timeout", "30s")  # a busy machine takes longer than 5 s
# The servers of this release: Debian 13 also has Valkey.
SERVERS = ["redis", *(["valkey"] if shutil.which("valkey-server") else [])]
ACL = "~{claimsd:%s}:* -@all +xadd +xread +xrevrange +hset +hdel +hlen +hscan +multi +exec +time +role" % NAME


class Redis:
    """A server below `root`; `kind` is one of SERVERS. `acl`: what the user claimsd may do."""

    def __init__(self, root, acl=ACL, kind="redis"):
        self.root = pathlib.Path(root)
        self.kind = kind
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        (self.root / "redis.conf").write_text("\n".join([
            f"port {self.port}", "bind 127.0.0.1", f"dir {self.root}", "save \"\"", "appendonly no",
            "enable-debug-command yes", "user default off", "user admin on >admin allkeys allchannels allcommands",
            f"user claimsd on >password {acl}", ""]))
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", f"{self.kind}-server", str(self.root / "redis.conf")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if self.call("PING") == "PONG":
                    return
            except RuntimeError:
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.kind}-server does not answer")
            time.sleep(0.02)

    def command(self, *words):
        return [f"{self.kind}-cli", "-p", str(self.port), "--user", "admin", "--pass", "admin", "--no-auth-warning",
                *map(str, words)]

    def call(self, *words):
        done = subprocess.run(self.command(*words), capture_output=True, text=True, timeout=PATIENCE)
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)
        return done.stdout.strip()

    def freeze(self):
        """It hangs: connections stay open, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def frozen(self):
        self.freeze()
        try:
            yield
        finally:
            self.thaw()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(PATIENCE)


@functools.cache
def token_of(name):
    return old_token(name)


def reason(daemon, token):
    with Peer(daemon.socket) as peer:
        return peer.ask(token).reason


def findings(daemon):
    return {one["code"]: one for one in daemon.status()["findings"]}


def status_of(daemon):
    return daemon.status()["fleet"]


def is_current(daemon):
    return status_of(daemon)["current"]


def identity_file(daemon):
    return daemon.root / "revocations" / "fleet_host"


def remembers_that_it_was_current(daemon):
    return identity_file(daemon).read_text().split()[4] != "-"


def write_identity(daemon, text):
    identity_file(daemon).parent.mkdir(mode=0o700)
    identity_file(daemon).write_text(text)


class Keys:
    """The keys of a fleet, the same for each fleet of a test run. `mark`: what a host of an earlier
    fleet with these keys has written into its identity; with it the first host of the next fleet
    counts as one that was current, and need not wait to found it."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.mark = None
        for name, content in (("seal.key", os.urandom(32)), ("fingerprint.key", os.urandom(32)), ("password", b"password\n")):
            self.write(name, content)

    def write(self, name, content):
        path = self.root / name
        path.write_bytes(content)
        path.chmod(0o600)
        return str(path)

    def path(self, name):
        return str(self.root / name)


class Fleet:
    """Daemons that share one Redis."""

    def __init__(self, build, scratch, upstream, keys, acl=ACL, kind="redis"):
        self.build, self.scratch, self.upstream, self.keys = build, scratch, upstream, keys
        self.redis = Redis(scratch(), acl, kind)
        self.hosts = []

    def table(self, **options):
        return {"name": NAME, "urls": [self.redis.url], "user": "claimsd", "password_file": self.keys.path("password"),
                "seal_key_files": [self.keys.path("seal.key")],
                "fingerprint_key_file": self.keys.path("fingerprint.key"), **options}

    def add(self, start=True, tables=None, **options):
        """A daemon, started. `options` of [fleet]; `tables`: further tables of its configuration."""
        first = {"join": "serve"} if not self.hosts else {}
        table = self.table(host_name=f"host-{len(self.hosts) + 1}", **first, **options)
        daemon = Claimsd(self.build, self.scratch(), self.upstream, fleet=table, **(tables or {}))
        if not self.hosts and self.keys.mark:
            write_identity(daemon, f"claimsd-host 1 {os.urandom(16).hex()} {self.keys.mark} {int(time.time())}\n")
        self.hosts.append(daemon)
        return daemon.start() if start else daemon

    def wait_current(self):
        """Waits until all running hosts are current."""
        until(lambda: all(is_current(host) for host in self.hosts if host.process), "all hosts are current")
        self.keys.mark = identity_file(self.hosts[0]).read_text().split()[3]

    def stop(self):
        self.redis.thaw()
        for daemon in self.hosts:
            if daemon.process is not None:
                daemon.stop()
        self.redis.kill()
