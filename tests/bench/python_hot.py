#!/usr/bin/python3
"""./dev bench python_hot: authentication in a warm Django worker against the alternatives.

    python_hot      AuthAPITokenAuthentication.authenticate() of known tokens, against redis-py's
                    GET and json.loads, Django's Redis cache, and requests.get to a fast Auth API
    python_request  a whole REST framework request to a trivial view with authentication and
                    HasRole, against one without

Tokens have 800 bytes, claims 300. Figures are medians of batches and of rounds; contenders
alternate in one run. All processes share one core, which therefore never sleeps: the regime of the
other goals (tests/bench/regime.h) and the best one for clients of a server. Exits 0 if every goal
holds, 1 otherwise."""

import argparse
import contextlib
import itertools
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[1:1] = [str(TESTS / "system"), str(TESTS / "support")]

from daemon import Claimsd  # noqa: E402

USERS = 64
CALLS = 10000  # per round
BATCH = 50  # requests built in advance, to be as warm as a server's
SLOW_CALLS = 300  # for calls that take a millisecond
STUB = """
import json, os, socketserver, hashlib, sys
sys.path[1:1] = [sys.argv[1]]
from process import die_with_parent
die_with_parent()
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        kept = b""
        while True:
            data = self.request.recv(65536)
            if not data:
                return
            kept += data
            while b"\\r\\n\\r\\n" in kept:
                head, _, kept = kept.partition(b"\\r\\n\\r\\n")
                name = hashlib.sha256([line for line in head.split(b"\\r\\n") if line.lower().startswith(b"authorization")][0][15:]).hexdigest()[:8]
                body = json.dumps({"id": "user-" + name, "email": name + "@example.com", "role": "rvt", "note": "x" * 210}).encode()
                self.request.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


def tokens():
    return [f"{number:04d}." + "t" * 790 + ".sig" for number in range(USERS)]


def start_stub(stack):
    process = stack.enter_context(subprocess.Popen([sys.executable, "-B", "-c", STUB, str(TESTS / "support")], stdout=subprocess.PIPE, text=True))
    stack.callback(process.kill)
    return f"http://127.0.0.1:{process.stdout.readline().strip()}"


def start_redis(stack, root):
    path = f"{root}/redis.sock"
    process = stack.enter_context(subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", str(root)],
        stdout=subprocess.PIPE, text=True))
    stack.callback(process.kill)
    for line in process.stdout:
        if "ready to accept" in line.lower():
            return path
    raise RuntimeError("redis-server did not start")


def configure(site, url, claims_socket, redis_socket):
    sys.path.insert(1, str(site))
    from django.conf import settings

    settings.configure(
        SECRET_KEY="of a benchmark", USE_TZ=True, ROOT_URLCONF=__name__, INSTALLED_APPS=["rest_framework"], ALLOWED_HOSTS=["*"],
        AUTH_API_URL=url, AUTH_INTEGRATION={"SOCKET": str(claims_socket), "TRANSPORT": "daemon"},
        CACHES={"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": f"unix://{redis_socket}"}},
        REST_FRAMEWORK={"DEFAULT_AUTHENTICATION_CLASSES": ["auth_integration.authentication.AuthAPITokenAuthentication"],
                        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"]})
    import django

    django.setup()


class Contender:
    """`prepare(count)` makes the arguments and is not timed; `call(argument)` is timed."""

    def __init__(self, name, call, prepare, count=CALLS):
        self.name, self.call, self.prepare, self.count = name, call, prepare, count
        self.rounds = []

    def run_round(self):
        """Warms up first: leases and sleeping cores that expired since the last turn do not
        count."""
        call, spent = self.call, []
        for argument in self.prepare(USERS):
            call(argument)
        for _ in range(self.count // BATCH):
            arguments = self.prepare(BATCH)
            began = time.perf_counter_ns()
            for argument in arguments:
                call(argument)
            spent.append(time.perf_counter_ns() - began)
        # The median of batches, too: time in which another program had the core does not count.
        self.rounds.append(statistics.median(spent) / BATCH / 1000)

    @property
    def value(self):
        return statistics.median(self.rounds)


def in_turn(contenders, rounds):
    for contender in contenders:
        contender.run_round()
        contender.rounds.clear()
    for _ in range(rounds):
        for contender in contenders:
            contender.run_round()


def some(values):
    """Cycles through the values; each batch begins with the first."""
    return lambda count: [values[at % len(values)] for at in range(count)]


def authentication(url, redis_socket):
    """The contenders of python_hot; the first is the subject."""
    import redis
    import requests
    from django.core.cache import cache
    from django.test import RequestFactory
    from rest_framework.views import APIView

    from auth_integration.authentication import AuthAPITokenAuthentication

    factory, authenticator, turn = RequestFactory(), AuthAPITokenAuthentication(), itertools.cycle(tokens())

    def requests_of(count):
        """As dispatch() makes them: a view, request and header each."""
        made = []
        for _ in range(count):
            view = APIView()
            view.args, view.kwargs = (), {}
            made.append(view.initialize_request(factory.get("/worklist/", HTTP_AUTHORIZATION=f"Bearer {next(turn)}")))
        return made

    client, session, known = redis.Redis(unix_socket_path=redis_socket), requests.Session(), tokens()
    bodies = [session.get(f"{url}/api/me/", headers={"Authorization": f"Bearer {token}"}).json() for token in known]
    for at, body in enumerate(bodies):
        client.set(f"claims:{at:060d}", json.dumps(body))
        cache.set(f"claims:{at:060d}", body)
    keys = [f"claims:{at:060d}" for at in range(USERS)]
    # One at a time, like a worker's first requests: CPython then specializes on the request's
    # attributes.
    users = [authenticator.authenticate(request) for _ in range(USERS) for request in requests_of(1)]
    assert [user.id for user, _ in users] == [body["id"] for body in bodies], "the claims are not those of the Auth API"
    return [
        Contender("authenticate", authenticator.authenticate, requests_of),
        Contender("redis_json", lambda key: json.loads(client.get(key)), some(keys)),
        Contender("django_redis", cache.get, some(keys)),
        Contender("requests_get", lambda token: session.get(f"{url}/api/me/", headers={"Authorization": f"Bearer {token}"}).json(), some(known), SLOW_CALLS),
    ]


def whole_requests():
    """Through Django's WSGI handler, from the environment to the body."""
    from django.core.handlers.wsgi import WSGIHandler
    from django.test import RequestFactory
    from django.urls import path
    from rest_framework.response import Response
    from rest_framework.views import APIView

    from auth_integration.permissions import HasRole

    class Plain(APIView):
        authentication_classes = ()
        permission_classes = ()

        def get(self, request):
            return Response({"message": "Hello!"})

    class Guarded(Plain):
        authentication_classes = APIView.authentication_classes
        permission_classes = (HasRole("rvt"),)

    urlpatterns.extend([path("guarded/", Guarded.as_view()), path("plain/", Plain.as_view())])
    application, factory = WSGIHandler(), RequestFactory()

    def call(environment):
        response = application(environment, lambda status, headers: None)
        b"".join(response)
        response.close()
        assert response.status_code == 200

    def contender(name, route):
        turn = itertools.cycle(tokens())
        return Contender(name, call, lambda count: [
            dict(factory.get(route, HTTP_AUTHORIZATION=f"Bearer {next(turn)}").environ) for _ in range(count)], 2000)

    return [contender("with_authentication", "/guarded/"), contender("without_any", "/plain/")]


urlpatterns = []  # filled by whole_requests()
GOALS = [("redis_json", 20), ("django_redis", 25), ("requests_get", 150)]


def finding(name, subject, peer, ratio, goal, holds):
    return {"name": name, "value": round(subject.value, 4), "unit": "us", "peer": peer.name, "peer_value": round(peer.value, 4),
            "ratio": round(ratio, 3), "goal": goal, "holds": holds}


def measure(rounds, url, redis_socket):
    subject, *peers = authentication(url, redis_socket)
    in_turn([subject, *peers], rounds)
    for peer, (name, least) in zip(peers, GOALS):
        assert peer.name == name
        ratio = peer.value / subject.value
        yield finding("python_hot", subject, peer, ratio, f">= {least}", ratio >= least)
    guarded, plain = whole_requests()
    in_turn([guarded, plain], rounds)
    ratio = guarded.value / plain.value
    yield finding("python_request", guarded, plain, ratio, "<= 1.1", ratio <= 1.1)


def show(found):
    print(f"  {found['name']:16}{found['value']:>9.2f} us   {found['peer']:14}{found['peer_value']:>10.2f} us   ratio {found['ratio']:>8.2f}   "
          f"{found['goal']:8}{'ok' if found['holds'] else 'FAILED'}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, type=pathlib.Path, help="the build directory, with the package in python/")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--json", action="store_true", help="print one JSON object per goal and line")
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # the last core: devices mostly interrupt the first
    with contextlib.ExitStack() as stack:
        root = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="claimsd-bench-")))
        url, redis_socket = start_stub(stack), start_redis(stack, root)
        daemon = stack.enter_context(Claimsd(build, root / "claimsd", url, cache={"max_ttl": "300s"}, log={"level": "warning"}))
        configure(build / "python", url, daemon.socket, redis_socket)
        all_hold = True
        for found in measure(arguments.rounds, url, redis_socket):
            all_hold = all_hold and found["holds"]
            print(json.dumps(found, separators=(",", ":")), flush=True) if arguments.json else show(found)
        from auth_integration.runtime import current

        print(f"python_hot: {current().transport.handle.statistics()}", file=sys.stderr)
    return 0 if all_hold else 1


if __name__ == "__main__":
    os.environ.pop("DJANGO_SETTINGS_MODULE", None)
    sys.exit(main())
