"""Real servers of every kind: users are never confused, and one retry is enough after a daemon restart."""

import collections
import contextlib
import http.client
import json
import math
import os
import random
import signal
import subprocess
import threading
import time

import pytest

from peer import until
from tokens import user_of

PYTHON = "/usr/bin/python3"
MIDDLEWARE = '["auth_integration.middleware.CacheUserClaimsMiddleware"]'
PATIENCE = 1.0  # seconds within which a retry must help, once the daemon is there (again)
SERVERS = {
    "prefork": ["clinic.wsgi", "--workers", "8"],
    "threads": ["clinic.wsgi", "--workers", "8", "--threads", "4", "--worker-class", "gthread"],
    "gevent": ["clinic.wsgi", "--workers", "8", "--worker-class", "gevent"],
    "uvicorn": ["clinic.asgi", "--workers", "8", "--worker-class", "uvicorn.workers.UvicornWorker"],
}
NO_BUDGETS = {"misses_per_uid": 0, "misses_per_client": 0}  # all of them come from one address here
PATHS = {"uvicorn": ["/me/", "/plain-async/", "/plain/"]}


@contextlib.contextmanager
def serving(kind, daemon, url, *more, **environment):
    """Serves the clinic with gunicorn; yields the port."""
    ready, write_end = os.pipe()
    settings = {"CLINIC_AUTH_API_URL": url, "CLINIC_AUTH_INTEGRATION": json.dumps({"SOCKET": str(daemon.socket)})}
    with open(daemon.root / "server.log", "wb") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", PYTHON, "-B", "-W", "ignore", "-m", "gunicorn", "-c", "python:clinic.gunicorn_conf", *SERVERS[kind], *more],
            env={**os.environ, "PYTHONPATH": os.environ["CLINIC_PATH"], "CLINIC_READY_FD": str(write_end), **settings, **environment},
            pass_fds=[write_end], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    os.close(write_end)
    try:
        with os.fdopen(ready) as line:
            port = line.readline()
        assert port, (daemon.root / "server.log").read_text()
        yield int(port)
    finally:
        process.terminate()
        process.wait(30)
        print((daemon.root / "server.log").read_text())


class Visitor(threading.Thread):
    """Sends one request for each of its tokens over a kept connection, and counts the answers."""

    daemon_came_back = 0.0  # when, by the monotonic clock; infinity: it is away

    def __init__(self, port, paths, tokens, seed):
        super().__init__()
        self._port = port
        self._paths = paths
        self._tokens = tokens
        self._random = random.Random(seed)
        self._connection = None
        self.served, self.wrong, self.failed = 0, [], []
        self.retried = 0

    def run(self):
        for token in self._tokens:
            self._visit(self._random.choice(self._paths), token)
        if self._connection:
            self._connection.close()

    def _visit(self, path, token):
        began = time.monotonic()
        while True:
            status, body = self._ask(path, token)
            if status == 200:
                self.served += 1
                if body["id"] != user_of(token) or body["claims"]["id"] != user_of(token):
                    self.wrong.append((token, body["id"]))
                return
            if status != 503 or time.monotonic() > max(began, Visitor.daemon_came_back) + PATIENCE:
                self.failed.append((status, body))
                return
            self.retried += 1
            time.sleep(0.02)

    def _ask(self, path, token):
        for _ in range(2):
            if self._connection is None:
                self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
            try:
                self._connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
                answer = self._connection.getresponse()
                text = answer.read()
                return answer.status, json.loads(text) if answer.status in (200, 503) else text[:200]
            except (ConnectionError, http.client.HTTPException):
                self._connection.close()  # a synchronous worker keeps none open
                self._connection = None
        return 0, b"no connection"


def visit(port, kind, count, users, during=lambda: None):
    """`count` requests for `users` mixed users, by eight visitors, while `during()` runs."""
    numbers = random.Random(kind)
    paths = PATHS.get(kind, ["/me/", "/plain/", "/tech/"])
    names = [f"user-{number}" for number in range(users)]
    visitors = [Visitor(port, paths, [numbers.choice(names) for _ in range(count // 8)], seed) for seed in range(8)]
    for visitor in visitors:
        visitor.start()
    during()
    for visitor in visitors:
        visitor.join()
    assert [visitor.wrong for visitor in visitors] == [[]] * 8
    assert [visitor.failed for visitor in visitors] == [[]] * 8
    assert sum(visitor.served for visitor in visitors) == count
    return sum(visitor.retried for visitor in visitors)


def test_ten_thousand_users_across_eight_workers_never_see_each_other(claimsd, faults):
    daemon = claimsd(faults.url("echo"), limits=NO_BUDGETS)
    with serving("prefork", daemon, faults.url("echo"), CLINIC_WARM_TOKEN="user-0") as port:
        visit(port, "prefork", 12000, 10000)


@pytest.mark.parametrize("kind", SERVERS)
def test_a_daemon_restart_under_load_fails_no_request(claimsd, faults, kind):
    daemon = claimsd(faults.url("echo"), limits=NO_BUDGETS)

    def restart():
        for how in ("stop", "kill", "stop"):
            time.sleep(0.3)  # of load
            Visitor.daemon_came_back = math.inf
            getattr(daemon, how)()
            daemon.start()
            Visitor.daemon_came_back = time.monotonic()

    more = {"CLINIC_MIDDLEWARE": MIDDLEWARE} if kind == "uvicorn" else {"CLINIC_WARM_TOKEN": "user-0"}
    with serving(kind, daemon, faults.url("echo"), **more) as port:
        visit(port, kind, 3200, 300, restart)


@pytest.mark.parametrize("kind", ["gevent", "uvicorn"])
def test_a_waiting_lookup_delays_no_other_request(claimsd, faults, kind):
    """One worker, one thread: while one request waits for the Auth API, another one is served."""
    daemon = claimsd(faults.url("gate"), limits=NO_BUDGETS)
    one, warm = ["--workers", "1"], {}
    if kind == "gevent":  # which comes under the worker after the fork, when the package was used already
        faults.open("gate")
        warm = {"CLINIC_WARM_TOKEN": "user-0"}
    with serving(kind, daemon, faults.url("gate"), *one, CLINIC_MIDDLEWARE=MIDDLEWARE, **warm) as port:
        faults.control("POST", "/_close")
        waiting = [Visitor(port, ["/plain-async/" if kind == "uvicorn" else "/me/"], [f"slow-{number}"], number) for number in range(5)]
        for visitor in waiting:
            visitor.start()
        faults.wait("gate", in_flight=5)
        quick = http.client.HTTPConnection("127.0.0.1", port, timeout=3)
        path = "/unguarded-async/" if kind == "uvicorn" else "/open/"
        for _ in range(20):
            quick.request("GET", path)
            answer = quick.getresponse()
            assert (answer.status, answer.read() != b"") == (200, True)
        assert all(visitor.is_alive() for visitor in waiting)
        faults.open("gate")
        for visitor in waiting:
            visitor.join()
        assert [visitor.wrong + visitor.failed for visitor in waiting] == [[]] * 5
        quick.close()


@pytest.mark.parametrize("kind", ["gevent", "uvicorn"])
def test_an_outage_is_503_and_no_token_is_in_the_servers_log(claimsd, faults, kind):
    daemon = claimsd(faults.url("500"))
    with serving(kind, daemon, faults.url("500"), CLINIC_MIDDLEWARE=MIDDLEWARE) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/plain-async/", headers={"Authorization": "Bearer s3cret-token"})
        answer = connection.getresponse()
        assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1 and b"s3cret" not in answer.read()
        connection.close()
    assert "s3cret" not in (daemon.root / "server.log").read_text()


def reported(daemon):
    """The number of refusals of each route in the audit log."""
    claimsctl = str(daemon.binary.parent.parent / "client" / "claimsctl" / "claimsctl")
    exported = subprocess.run([claimsctl, "--admin-socket", str(daemon.admin_socket), "audit", "export", "--format", "jsonl", "--directory",
                               str(daemon.root / "audit")], capture_output=True, text=True, check=True).stdout
    counts = collections.Counter()
    for record in map(json.loads, exported.splitlines()):
        if record["event"] in ("denied", "unauthenticated", "reported_unavailable"):
            counts[record["event"], record["status"], record["route"]] += record["count"]
    return dict(counts)


@pytest.mark.parametrize("kind", SERVERS)
def test_each_refusal_of_every_worker_is_recorded_once_without_waiting(claimsd, faults, kind):
    daemon = claimsd(faults.url("echo"), limits=NO_BUDGETS)
    path = "/plain-async/" if kind == "uvicorn" else "/tech/"
    settings = json.dumps({"SOCKET": str(daemon.socket), "TIMEOUT": 60.0, "REPORT_TIMEOUT": 60.0})
    with serving(kind, daemon, faults.url("echo"), "--workers", "2", CLINIC_AUTH_INTEGRATION=settings, CLINIC_MIDDLEWARE=MIDDLEWARE) as port:
        assert refusals(port, path, 20) == [401] * 20
        os.kill(daemon.process.pid, signal.SIGSTOP)
        assert refusals(port, path, 20) == [401] * 20
        os.kill(daemon.process.pid, signal.SIGCONT)
    until(lambda: reported(daemon) == {("unauthenticated", 401, path[1:]): 40}, "40 refusals in the audit log")


def refusals(port, where, count=1):
    """The statuses of `count` requests without a token, each over its own connection."""
    statuses = []
    for _ in range(count):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", where)
        statuses.append(connection.getresponse().status)
        connection.close()
    return statuses


@pytest.mark.parametrize("kind", SERVERS)
def test_a_refusal_that_waits_for_its_record_delays_no_other_request(claimsd, faults, kind):
    """While the daemon is stopped a refusal waits; the same worker serves requests that need no daemon."""
    daemon = claimsd(faults.url("echo"), limits=NO_BUDGETS)
    path = "/plain-async/" if kind == "uvicorn" else "/tech/"
    workers = "8" if kind == "prefork" else "1"
    settings = json.dumps({"SOCKET": str(daemon.socket), "TIMEOUT": 60.0, "REPORT_WAIT": True, "REPORT_TIMEOUT": 60.0})
    with serving(kind, daemon, faults.url("echo"), "--workers", workers, CLINIC_AUTH_INTEGRATION=settings, CLINIC_MIDDLEWARE=MIDDLEWARE) as port:
        assert refusals(port, path, 20) == [401] * 20
        held = 0 if kind == "prefork" else 3  # a worker with one thread serves one request at a time
        if held:
            refused = []
            os.kill(daemon.process.pid, signal.SIGSTOP)
            waiting = [threading.Thread(target=lambda: refused.extend(refusals(port, path))) for _ in range(held)]
            for thread in waiting:
                thread.start()
            open_path = "/unguarded-async/" if kind == "uvicorn" else "/open/"
            assert refusals(port, open_path, 20) == [200] * 20
            assert refused == []
            os.kill(daemon.process.pid, signal.SIGCONT)
            for thread in waiting:
                thread.join()
            assert refused == [401] * held
    daemon.stop()
    assert reported(daemon) == {("unauthenticated", 401, path[1:]): 20 + held}
