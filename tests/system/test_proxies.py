"""nginx, Caddy and HAProxy with the files of client/examples/, a real daemon behind their gates, and an application that records what it receives."""

import pytest

from http_client import RawClient
from proxies import PROXIES
from recording_app import RecordingApp
from relay import Relay

GATES = {"http.gate.doctors": {"roles": ["doctor"]}}
IDENTITY = ("X-Claims-Id", "X-Claims-Email", "X-Claims-Roles", "X-Claims-Truncated")
DANA = {"X-Claims-Id": "user-201", "X-Claims-Email": "dana@example.com", "X-Claims-Roles": "doctor", "X-Claims-Truncated": "0"}
# Of a path below /records/.
OTHER_SPELLINGS = ("/public/../records/1", "/public/%2e%2e/records/1", "/public/.%2E/records/1", "/public/..%2frecords/1", "/public/x%2f..%2f..%2frecords/1", "//records/1",
                   "/./records/1", "/%72ecords/1", "/records%2f1", "/public//../../records/1", "/public/..%5crecords/1", "/public\\..\\records/1", "/records//1", "/public/%2e%2e//records/1",
                   "/records/%zz/1", "/records/%1", "/records/%", "/records/%\x85/1")
SEPARATORS = ("-", "_", ".", "!", "~")


class Site:
    def __init__(self, daemon, proxy, application):
        self.daemon, self.proxy, self.application = daemon, proxy, application

    def client(self):
        return RawClient(self.proxy.connect())

    def ask(self, *arguments, **options):
        with self.client() as client:
            return client.ask(*arguments, **options)


@pytest.fixture(params=sorted(PROXIES))
def site(request, claimsd, scratch):
    """Makes a site; all of its processes are stopped at the end."""
    stops = []

    def make(upstream, relayed=False, **options):
        daemon = claimsd(upstream, start=False, **GATES, **options).serve_http().start()
        path = daemon.http_socket
        application = RecordingApp()
        stops.append(application.close)
        site = Site(daemon, None, application)
        if relayed:
            site.relay = Relay(daemon.root / "r.sock", path)
            stops.append(site.relay.close)
            path = daemon.root / "r.sock"
        site.proxy = PROXIES[request.param](scratch(), path, application.port).start()
        stops.append(site.proxy.stop)
        return site

    yield make
    for stop in reversed(stops):
        stop()


def test_a_valid_token_passes_with_the_identity(site, auth_api):
    here = site(auth_api.url)
    token = auth_api.login("dana")
    response = here.ask("/records/7?page=2", token)
    assert response.status == 200, here.proxy.log()
    received, = here.application.take()
    assert (received.method, received.target) == ("GET", "/records/7?page=2")
    assert {name.lower(): value for name, value in received.identity().items()} == {name.lower(): value for name, value in DANA.items()}
    assert received.values("Authorization") == [f"Bearer {token}"]


def test_a_body_reaches_the_application_and_not_claimsd(site, auth_api):
    here = site(auth_api.url)
    token = auth_api.login("dana")
    body = b"x" * 50_000
    with here.client() as client:
        assert client.ask("/records/", token, "POST", body=body).status == 200, here.proxy.log()
        client.send(f"PUT /records/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n".encode())
        assert client.response().status == 200
    assert [(one.method, one.body) for one in here.application.take()] == [("POST", body), ("PUT", b"hello")]


def test_401_keeps_its_challenge_and_the_application_is_not_asked(site, auth_api):
    here = site(auth_api.url)
    for token, challenge in ((None, 'Bearer realm="api"'), ("wrong", 'Bearer realm="api", error="invalid_token"')):
        response = here.ask("/records/", token)
        assert (response.status, response.header("WWW-Authenticate")) == (401, challenge)
    assert here.application.take() == []


def test_403_for_a_user_without_a_role_of_the_gate(site, auth_api):
    here = site(auth_api.url)
    token = auth_api.login("tess")
    assert here.ask("/records/", token).status == 403
    assert here.application.take() == []
    assert here.ask("/worklist", token).status == 200
    assert here.application.take()[0].values("X-Claims-Roles") == ["rvt"]


def test_an_outage_of_the_auth_api_is_503_with_retry_after(site, faults):
    here = site(faults.url(faults.script("outage", {"status": 503})))
    response = here.ask("/records/", "token")
    assert response.status == 503 and int(response.header("Retry-After")) >= 1
    assert response.header("WWW-Authenticate") is None
    assert here.application.take() == []


def test_without_claimsd_503_until_it_is_back(site, auth_api):
    here = site(auth_api.url)
    token = auth_api.login("dana")
    assert here.ask("/records/", token).status == 200
    here.daemon.stop()
    for target in ("/records/", "/worklist"):
        response = here.ask(target, token)
        assert response.status == 503 and int(response.header("Retry-After")) >= 1
    here.daemon.start()
    assert here.ask("/records/", token).status == 200
    assert len(here.application.take()) == 2


@pytest.mark.parametrize("target", ["/records/", "/public/"])
def test_the_identity_comes_from_claimsd_however_a_client_spells_the_headers(site, auth_api, target):
    here = site(auth_api.url)
    token = auth_api.login("dana")
    expected = {name.lower(): value for name, value in DANA.items()} if target == "/records/" else {}
    for first in SEPARATORS:
        for second in SEPARATORS:
            names = [f"X{first}Claims{second}{last}" for last in ("Id", "Email", "Roles", "Truncated")]
            for spelled in (names, [name.lower() for name in names], [name.upper() for name in names]):
                for repeated in (1, 3):
                    forged = [(name, "user-301,admin") for name in spelled] * repeated
                    response = here.ask(target, token, headers=forged)
                    assert response is not None and response.status in (200, 400)
                    for received in here.application.take():
                        identity = {name.lower(): value for name, value in received.identity().items() if value}
                        assert identity == expected, (forged, received)
                        assert sum(name.lower() == "x-claims-id" for name, _ in received.headers) <= 1


def test_two_tokens_are_refused(site, auth_api):
    here = site(auth_api.url)
    dana, tess = auth_api.login("dana"), auth_api.login("tess")
    response = here.ask("/records/", tess, headers=[("Authorization", f"Bearer {dana}")])
    assert response.status in (400, 403)
    assert here.application.take() == []


def test_a_token_that_ends_in_a_nul_is_not_cut_off(site, auth_api):
    here = site(auth_api.url)
    for rest in ("\0", "\0x", "\x01", "\x7f"):
        response = here.ask("/records/", f"{auth_api.login('dana')}{rest}")
        assert response is None or response.status in (400, 401)
        assert here.application.take() == []


@pytest.mark.parametrize("names", ["X-Claims-Id", "x-claims-roles, X-Claims-Truncated", "keep-alive, X-Claims-Email", "Authorization"])
def test_a_connection_header_removes_no_part_of_the_identity(site, auth_api, names):
    """It names headers that a proxy removes (RFC 9110, section 7.6.1)."""
    here = site(auth_api.url)
    response = here.ask("/records/", auth_api.login("dana"), headers=[("Connection", names)])
    assert response.status in (200, 400, 401)
    for received in here.application.take():
        assert {name.lower(): value for name, value in received.identity().items()} == {name.lower(): value for name, value in DANA.items()}


def test_a_path_that_the_application_reads_otherwise_opens_no_gate(site, auth_api):
    here = site(auth_api.url)
    token = auth_api.login("tess")
    for path in OTHER_SPELLINGS:
        here.ask(path, token)
        assert [received for received in here.application.take() if received.path().startswith("/records/")] == [], path


def test_connections_to_claimsd_are_kept(site, auth_api):
    here = site(auth_api.url, relayed=True)
    token = auth_api.login("dana")
    with here.client() as client:
        for _ in range(200):
            assert client.ask("/records/", token).status == 200
    assert here.relay.connections < 10, here.relay.connections


def test_a_user_with_200_roles(site, faults):
    roles = [f"role-{number:03}-of-a-clinic" for number in range(199)] + ["doctor"]
    here = site(faults.url(faults.script("roles", {"body": {"id": "7", "email": "a@example.com", "role": roles}})))
    response = here.ask("/records/", "token")
    assert response.status == 200, here.proxy.log()
    received, = here.application.take()
    listed = received.values("X-Claims-Roles")[0].split(",")
    assert listed == roles[:len(listed)] and len(listed) > 100
    assert received.values("X-Claims-Truncated") == ["1"] and received.values("X-Claims-Id") == ["7"]


def test_a_name_with_every_kind_of_character_arrives_encoded(site, faults):
    here = site(faults.url(faults.script("names", {"body": {"id": "a,b\"c% d", "email": "ä@example.com", "role": "doctor"}})))
    assert here.ask("/records/", "token").status == 200
    received, = here.application.take()
    assert [received.values(name) for name in IDENTITY] == [["a%2Cb%22c%25%20d"], ["%C3%A4@example.com"], ["doctor"], ["0"]]


def test_haproxy_denies_when_the_script_fails(claimsd, scratch, auth_api):
    """HAProxy itself continues after an action that failed."""
    daemon = claimsd(auth_api.url)  # no HTTP socket is needed
    application = RecordingApp()
    proxy = PROXIES["haproxy"](scratch(), daemon.root / "h.sock", application.port)
    whole = proxy.example
    proxy.example = lambda name, **more: whole(name, **more).replace("core.httpclient()", "core.no_such_function()")
    proxy.start()
    try:
        with RawClient(proxy.connect()) as client:
            assert client.ask("/records/", auth_api.login("dana")).status == 503
        assert application.take() == []
        assert "no_such_function" in proxy.log()
    finally:
        proxy.stop()
        application.close()
