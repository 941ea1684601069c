#!/usr/bin/python3
"""./dev demo --fleet: a real Auth API, a real Redis and three claimsd that share revocations.

Every line that ends in "ok" is a check. Exits 0 if all checks passed and 1 otherwise; leaves no
process and no file behind, even after Ctrl-C.
"""

import argparse
import contextlib
import itertools
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from demo import Report
from fleets import Fleet, Keys, remembers_that_it_was_current
from peer import Peer, until
from servers import AuthApi

HOSTS = 3
KNOWN_SECONDS = 10  # loss of Redis, and its return: 3 s and 5 s by design, more on a busy machine
LOOKUPS = 500


class FleetDemo:
    def __init__(self, build, report, stack):
        self._build, self._report, self._stack = build, report, stack

    def run(self):
        self.start()
        self.revoke()
        self.cut()
        self.heal()
        self.join()

    # ---- the parts

    def start(self):
        root = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="claimsd-demo-")))
        self.api = self._stack.enter_context(AuthApi(root / "authapi"))
        numbers = itertools.count(1)

        def scratch():
            directory = root / f"host-{next(numbers)}"
            directory.mkdir()
            return directory

        self.fleet = Fleet(self._build, scratch, self.api.url, Keys(scratch()))
        self._stack.callback(self.fleet.stop)
        begin = time.monotonic()
        for number in range(HOSTS):
            self.fleet.add(**({"when_lost": "unavailable", "lost_after": "3s"} if number == HOSTS - 1 else {}))
        until(self.all_current, "all hosts are current")
        self._report.line("Auth API, Redis, three claimsd", f"a new fleet, current after {time.monotonic() - begin:.1f} s")
        self.tess, self.dana = self.api.login("tess"), self.api.login("dana")
        for host in self.fleet.hosts:
            self.check(host, "tess logs in", self.tess, "valid")

    def revoke(self):
        self._report.title("On host-1: claimsctl revoke --everywhere")
        begin = time.monotonic()
        done = self.claimsctl(self.fleet.hosts[0], "revoke", "--everywhere", "--timeout", "30s", token=self.tess)
        took = time.monotonic() - begin
        self._report.check("claimsctl says", self.line(done, "everywhere"), done.returncode == 0)
        self._report.line("took", f"{took * 1000:.0f} ms")
        for host in self.fleet.hosts:
            self.check(host, "tess", self.tess, "invalid")

    def cut(self):
        # Hosts that were current for less would take longer to be so again.
        until(lambda: all(map(remembers_that_it_was_current, self.fleet.hosts)), "the hosts were current for ten seconds")
        self._report.title("Redis hangs")
        begin = time.monotonic()
        self.fleet.redis.freeze()
        until(lambda: not any(map(self.current, self.fleet.hosts)), "the hosts notice")
        took = time.monotonic() - begin
        self._report.check("all hosts report it after", f"{took:.1f} s", took <= KNOWN_SECONDS)
        until(lambda: self.ask(self.fleet.hosts[2], self.dana).verdict == "unavailable", "host-3 stops to answer")
        self.check(self.fleet.hosts[0], "dana (when_lost serve)", self.dana, "valid")
        self.check(self.fleet.hosts[2], "dana (unavailable)", self.dana, "unavailable")
        self._report.check("slowest of 500 lookups on host-1", *self.slowest())
        done = self.claimsctl(self.fleet.hosts[0], "revoke", "--everywhere", "--timeout", "1s", token=self.dana)
        self._report.check("claimsctl revoke --everywhere", f"exit {done.returncode}: {self.line(done, 'everywhere')}",
                           done.returncode == 75)
        self._report.line("missing", self.line(done, "missing"))

    def heal(self):
        self._report.title("Redis answers again")
        begin = time.monotonic()
        self.fleet.redis.thaw()
        until(self.all_current, "all hosts are current")
        until(lambda: all(self.ask(host, self.dana).verdict == "invalid" for host in self.fleet.hosts),
              "the order reaches all hosts")
        took = time.monotonic() - begin
        self._report.check("all hosts have the order after", f"{took:.1f} s", took <= KNOWN_SECONDS)
        for host in self.fleet.hosts:
            self.check(host, "dana", self.dana, "invalid")

    def join(self):
        self._report.title("Redis loses everything, and a fourth host joins")
        self.fleet.redis.kill()
        self.fleet.redis.start()
        host = self.fleet.add()
        until(self.all_current, "all hosts are current")
        for name, token in (("tess", self.tess), ("dana", self.dana)):
            self.check(host, name, token, "invalid")
        until(lambda: self.claimsctl(host, "fleet").returncode == 0, "all rows say current")
        for line in self.claimsctl(host, "fleet").stdout.splitlines():
            self._report.title("") if line.startswith("fleet") else None
            print("  " + line, flush=True)

    # ---- helpers

    @staticmethod
    def current(host):
        return json.loads(host.admin("/v1/fleet")[1])["fleet"]["current"]

    def all_current(self):
        return all(map(self.current, self.fleet.hosts))

    @staticmethod
    def ask(host, token):
        with Peer(host.socket) as peer:
            return peer.ask(token)

    def check(self, host, what, token, verdict):
        name = host.tables["fleet"]["host_name"]
        self._report.verdict(f"{name}: {what}", self.ask(host, token), verdict)

    def slowest(self):
        slowest = 0
        with Peer(self.fleet.hosts[0].socket) as peer:
            for _ in range(LOOKUPS):
                begin = time.monotonic()
                peer.ask(self.dana)
                slowest = max(slowest, time.monotonic() - begin)
        return f"{slowest * 1000:.1f} ms", slowest < 1

    def claimsctl(self, host, *arguments, token=""):
        command = [str(self._build / "client" / "claimsctl" / "claimsctl"), "--admin-socket", str(host.admin_socket)]
        return subprocess.run([*command, *arguments], input=token, capture_output=True, text=True, timeout=60)

    @staticmethod
    def line(done, label):
        rows = (line.split(None, 1) for line in done.stdout.splitlines())
        return next((row[1] for row in rows if len(row) == 2 and row[0] == label), "nothing")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, type=pathlib.Path, help="the build directory")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    begin = time.monotonic()
    report = Report()
    try:
        with contextlib.ExitStack() as stack:
            FleetDemo(arguments.build.resolve(), report, stack).run()
    except KeyboardInterrupt:
        print("\nInterrupted. All processes are stopped.")
        return 128 + signal.SIGINT
    return report.conclude(time.monotonic() - begin)


if __name__ == "__main__":
    sys.exit(main())
