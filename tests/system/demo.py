#!/usr/bin/python3
"""./dev demo: a real Auth API, claimsd and four workers in temporary directories, in a few seconds.

Every line that ends in "ok" is a check. Exits 0 if all checks passed and 1 otherwise; leaves no
process and no file behind, even after Ctrl-C.
"""

import argparse
import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import pathlib
import signal
import statistics
import sys
import tempfile
import time

from daemon import Claimsd
from servers import AuthApi
from workers import Worker

WORKERS = 4
LOOKUPS = 1000
DIRECT_CALLS = 100
MAX_TTL_SECONDS = 2
AT_LEAST_FASTER = 3


class Report:
    """Prints lines, most of which are checks, and counts the checks that failed."""

    def __init__(self, out=sys.stdout):
        self._out = out
        self.checks = 0
        self.broken = 0

    def title(self, text):
        print(f"\n{text}" if text else "", file=self._out, flush=True)

    def line(self, what, shown):
        print(f"  {what:36}{shown}", file=self._out, flush=True)

    def check(self, what, shown, holds):
        self.checks += 1
        self.broken += not holds
        print(f"  {what:36}{shown:58}{'ok' if holds else 'FAILED'}", file=self._out, flush=True)

    def verdict(self, what, answer, verdict, holds=True):
        """Prints an answer and checks its verdict."""
        shown = f"{answer.verdict:13}{answer.reason}, from {origin(answer)}"
        self.check(what, shown, answer.verdict == verdict and holds)

    def conclude(self, seconds):
        """Prints the last line; returns the exit code."""
        if self.broken:
            self.title(f"{self.broken} of {self.checks} checks failed.")
            return 1
        self.title(f"All {self.checks} checks passed in {seconds:.1f} s. All processes are stopped.")
        return 0


def origin(answer):
    """Which of the three caches answered (local table, lease map or daemon) depends on timing."""
    known = ("local", "shared", "cache")
    return "a cache" if answer.source in known else {"upstream": "the Auth API", "none": "claimsd itself"}[answer.source]


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def payload_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def tampered(token, **changes):
    """The token with other claims under the old signature."""
    head, _, signature = token.split(".")
    return ".".join([head, base64url(json.dumps({**payload_of(token), **changes}).encode()), signature])


def expired(token, key):
    """The token as the Auth API would have issued it two hours ago, correctly signed."""
    old = {**payload_of(token), "iat": int(time.time()) - 7200, "exp": int(time.time()) - 3600}
    signed = token.split(".")[0] + "." + base64url(json.dumps(old).encode())
    return signed + "." + base64url(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())


class Demo:
    def __init__(self, build, report, stack):
        self._build = build
        self._report = report
        self._stack = stack

    def run(self):
        self.start()
        self.many_lookups()
        self.bad_tokens()
        self.logout()
        self.outage()

    def start(self):
        root = pathlib.Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="claimsd-demo-")))
        begin = time.monotonic()
        self.api = self._stack.enter_context(AuthApi(root / "authapi"))
        self._report.line("the Auth API", f"Django and simplejwt, ready after {time.monotonic() - begin:.1f} s")
        begin = time.monotonic()
        self.daemon = self._stack.enter_context(
            Claimsd(self._build, root / "claimsd", self.api.url,
                    cache={"max_ttl": f"{MAX_TTL_SECONDS}s", "refresh_ahead_percent": 0}).start())
        version = self.daemon.status()["version"]
        took = time.monotonic() - begin
        self._report.line("claimsd " + version, f"max_ttl = {MAX_TTL_SECONDS} s, ready after {took:.2f} s")
        self.token = self.api.login("tess")
        self._report.line("tess", "logged in with POST /api/token/")
        self.worker = self._stack.enter_context(Worker(self._build, self.daemon.socket, "ask"))

    def many_lookups(self):
        self._report.title(f"{WORKERS} worker processes look up her token {LOOKUPS:,} times each")
        workers = [self._stack.enter_context(Worker(self._build, self.daemon.socket, "repeat", LOOKUPS))
                   for _ in range(WORKERS)]
        for worker in workers:
            worker.prepare(self.token)
        for worker in workers:
            worker.wait_ready()
        for worker in workers:
            worker.go()
        results = [worker.result() for worker in workers]
        requests = self.api.me_requests()
        self.show_lookups(results, requests)
        self.compare(statistics.median(tally["median_ns"] for _, tally in results))

    def show_lookups(self, results, requests):
        first = results[0][0]
        who = (first.id, first.email, first.roles)
        same = all((answer.id, answer.email, answer.roles) == who for answer, _ in results)
        shown = f"{first.verdict}: {first.id}, {first.email}, role {', '.join(first.roles)}"
        right = who == ("user-101", "tess@example.com", ("rvt",))
        self._report.check("verdict and claims", shown, first.verdict == "valid" and same and right)
        valid, total = sum(tally.get("valid", 0) for _, tally in results), WORKERS * LOOKUPS
        self._report.check("lookups answered valid", f"{valid:,} of {total:,}", valid == total)
        self._report.check("requests to the Auth API", f"{requests}", requests == 1)

    def compare(self, lookup_ns):
        """Compares with a worker without claimsd, which here even keeps its connection open."""
        connection = http.client.HTTPConnection("127.0.0.1", self.api.port)
        took, all_good = [], True
        for _ in range(DIRECT_CALLS):
            begin = time.perf_counter_ns()
            connection.request("GET", "/api/me/", headers={"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            answer.read()
            took.append(time.perf_counter_ns() - begin)
            all_good = all_good and answer.status == 200
        connection.close()
        direct_ns = statistics.median(took)
        self._report.line("lookup (median, 4 at a time)", f"{lookup_ns / 1000:,.2f} µs")
        self._report.check("GET /api/me/ (median, 1 at a time)", f"{direct_ns / 1000:,.0f} µs", all_good)
        times = direct_ns / lookup_ns
        self._report.check("a lookup is faster by a factor of", f"{times:,.0f}", times >= AT_LEAST_FASTER)

    def bad_tokens(self):
        self._report.title("Answers for bad tokens and after a logout")
        answer = self.worker.ask(tampered(self.token, user_id="user-301"))
        self._report.verdict("a tampered token", answer, "invalid")
        old = expired(self.token, self.api.signing_key())
        before = self.api.me_requests()
        answer = self.worker.ask(old)
        unasked = self.api.me_requests() == before
        refused = self.api.ask("GET", "/api/me/", token=old)[0] == 401
        self._report.verdict("an expired token", answer, "invalid", unasked and refused)

    def logout(self):
        fresh = self.worker.ask(self.token, max_age_ms=0)
        self._report.verdict("her token, asked with max_age 0", fresh, "valid")
        self.api.logout(self.token)
        logged_out = time.monotonic()
        refused = self.api.ask("GET", "/api/me/", token=self.token)[0] == 401
        answer = self.worker.ask(self.token)
        self._report.verdict("right after her logout", answer, "valid", refused)
        began = last_valid = logged_out
        while answer.verdict == "valid" and began - logged_out <= MAX_TTL_SECONDS + 1:
            last_valid = began
            time.sleep(0.02)
            began = time.monotonic()
            answer = self.worker.ask(self.token)
        in_time = last_valid - logged_out <= MAX_TTL_SECONDS
        self._report.verdict(f"{began - logged_out:.1f} s after her logout", answer, "invalid", in_time)

    def outage(self):
        known, unknown = self.api.login("dana"), self.api.login("tomas")
        before = self.worker.ask(known)
        self.api.kill()  # at once: the cached token is valid for max_ttl only
        self._report.title("Answers while the Auth API is stopped")
        answer = self.worker.ask(known)
        self._report.verdict("a cached token", answer, "valid", before.verdict == "valid")
        answer = self.worker.ask(unknown)
        self._report.verdict("a valid token, not cached", answer, "unavailable")
        answer = self.worker.ask(tampered(unknown, user_id="user-301"))
        self._report.verdict("a tampered token", answer, "unavailable")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, type=pathlib.Path, help="the build directory")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    begin = time.monotonic()
    report = Report()
    try:
        with contextlib.ExitStack() as stack:
            Demo(arguments.build.resolve(), report, stack).run()
    except KeyboardInterrupt:
        print("\nInterrupted. All processes are stopped.")
        return 128 + signal.SIGINT
    return report.conclude(time.monotonic() - begin)


if __name__ == "__main__":
    sys.exit(main())
