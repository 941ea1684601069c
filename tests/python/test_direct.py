"""The direct transport: the daemon's verdicts for the same faults, and claims in a Django cache without secrets."""

import base64
import concurrent.futures
import contextlib
import json
import os
import socket
import ssl
import subprocess
import threading
import time

import pytest
from django.core.cache import caches
from hypothesis import given, settings
from hypothesis import strategies as st

from auth_integration.claims import Claims
from auth_integration.documents import BadDocument
from auth_integration.mapping import ClaimsMapping, Mismatch, RolesUnknown
from auth_integration.conf import Settings
from auth_integration.reasons import Answer
from auth_integration.transports.direct import DirectTransport
from auth_integration.transports.http_pool import FetchFailed, HttpPool
from auth_integration.transports.jwt_times import NEVER, expires_at, times_of

from test_fault_modes import REASONS, TLS_VERDICTS, VERDICTS
from tokens import base64url, jwt, user_of

LOCMEM = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test_direct"}}


class Clock:
    """The wall clock, which a test may set."""

    def __init__(self):
        self.offset = 0.0

    def __call__(self):
        return time.time() + self.offset


@pytest.fixture
def direct(use, faults):
    """direct(mode, option=...): a transport to that mode of the fault server."""
    made = []

    def make(mode, port="http", caches=LOCMEM, clock=None, **options):
        use(AUTH_API_URL=faults.url(mode, port), TRANSPORT="direct", CACHES=caches, **options)
        made.append(DirectTransport(Settings(), clock or time.time))
        return made[-1]

    yield make
    for transport in made:
        transport.close()
    with contextlib.suppress(Exception):  # of a test whose cache is broken
        caches["default"].clear()


def outcome(transport, token="token"):
    """(verdict, reason or user's id)."""
    found = transport.query(token, None, None)
    return (found.verdict, found.reason) if isinstance(found, Answer) else ("valid", found[1].id)


# ---- verdicts ------------------------------------------------------------------------------------


def test_every_fault_gets_the_verdict_and_the_reason_of_the_daemon(use, fault_server):
    """All modes at once, each over a transport of its own."""
    fault_server.control("POST", "/_open")

    def ask(name, port="http", mode="ok", **options):
        use(AUTH_API_URL=fault_server.url(mode, port), TRANSPORT="direct", TIMEOUT=4, CACHE=None, **options)
        return name, DirectTransport(Settings())

    transports = [ask(mode, mode=mode) for mode in VERDICTS]
    transports += [ask(name, port=name, CA_FILE=str(fault_server.tls / "ca.pem")) for name in TLS_VERDICTS]
    with concurrent.futures.ThreadPoolExecutor(len(transports)) as pool:
        found = dict(zip((name for name, _ in transports), pool.map(lambda one: outcome(one[1]), transports)))
    wrong = {mode: (found[mode], VERDICTS[mode]) for mode in VERDICTS if found[mode][0] != VERDICTS[mode]}
    wrong.update({mode: (found[mode], reason) for mode, reason in REASONS.items() if found[mode][1] != reason})
    wrong.update({name: (found[name], row) for name, row in TLS_VERDICTS.items() if found[name][0] != row[0]})
    assert wrong == {}
    assert fault_server.trap() == {"connections": 0, "bytes": 0, "contains_bearer": False}


def test_an_unknown_authority_is_not_trusted(direct):
    assert outcome(direct("echo", "https")) == ("unavailable", "upstream_tls")


def test_a_refused_connection_is_unavailable(use):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        use(AUTH_API_URL=f"http://127.0.0.1:{taken.getsockname()[1]}", TRANSPORT="direct")
        assert outcome(DirectTransport(Settings())) == ("unavailable", "upstream_connect")


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"])
def test_no_proxy_sees_a_token(direct, faults, monkeypatch, variable):
    monkeypatch.setenv(variable, faults.url("", "proxy_trap"))
    assert outcome(direct("echo")) == ("valid", user_of("token"))
    assert faults.trap()["connections"] == 0


def test_connections_are_kept_and_a_closed_one_is_no_error(direct, faults):
    transport = direct("echo", CACHE=None)
    for number in range(20):
        assert outcome(transport, f"token-{number}")[0] == "valid"
    assert faults.seen("echo")["connections"] == 1
    for mode in ("stale-race", "stale-close", "ok-close"):
        transport = direct(mode, CACHE=None)
        assert {outcome(transport, f"token-{number}")[0] for number in range(6)} == {"valid"}, mode


@pytest.mark.parametrize("body,said", [
    ('{"pk":7}', 'member "id" is missing'), ('{"id":"a\\nb"}', 'member "id" contains a control character'), ('{"id":1,"role":{}}', 'member "role" is not'),
    ('{"id":1,"id":2}', 'member "id" is there twice'), ("<html>", "not one JSON document")])
def test_the_text_of_an_unusable_document_names_the_member(direct, faults, body, said):
    answer = direct(faults.script("document", {"body": body})).query("token", None, None)
    assert (answer.verdict, answer.reason) == ("unavailable", "upstream_body") and said in answer.text


def test_the_mapping_of_the_settings_is_used(direct, faults):
    mode = faults.script("mapped", {"body": json.dumps({"sub": 7, "realm_access": {"roles": ["rvt"]}, "verified": True})})
    options = {"ID_CLAIM": "sub", "ROLE_CLAIMS": ["/realm_access/roles"]}
    claims = direct(mode, REQUIRE={"verified": True}, **options).query("token", None, None)[1]
    assert (claims.id, claims.roles) == (7, ("rvt",))
    assert outcome(direct(mode, REQUIRE={"verified": False}, **options)) == ("invalid", "claim_mismatch")
    assert outcome(direct(mode, REQUIRE_TOKEN={"/aud": "lumen"}, **options), jwt(aud="other")) == ("invalid", "claim_mismatch")
    assert outcome(direct(mode, REQUIRE_TOKEN={"/aud": "lumen"}, **options), jwt(aud="lumen"))[0] == "valid"


def test_retry_after_is_passed_on(direct):
    found = direct("status-503-retry-after-7").query("token", None, None)
    assert (found.reason, found.retry_after_ms) == ("upstream_status", 7000)


def test_a_slow_answer_does_not_extend_the_deadline(direct):
    for mode in ("slow-body", "slow-headers", "silence", "endless-headers"):
        began = time.monotonic()
        assert outcome(direct(mode, TIMEOUT=0.5))[0] == "unavailable"
        assert time.monotonic() - began < 3, mode


# ---- one request for many ------------------------------------------------------------------------


def test_many_threads_with_one_token_ask_once(direct, faults):
    transport = direct("gate")
    with concurrent.futures.ThreadPoolExecutor(50) as pool:
        asked = [pool.submit(outcome, transport) for _ in range(50)]
        faults.wait("gate", count=1)
        while transport.flights.flights["token"].waiters < 49:
            time.sleep(0.001)
        faults.open("gate")
        assert {one.result() for one in asked} == {("valid", user_of("token"))}
    assert faults.count("gate") == 1


def test_a_failure_is_shared_with_those_who_waited(direct, faults):
    mode = faults.script("failing", {"status": 500, "gate": True})
    transport = direct(mode)
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(outcome, transport) for _ in range(5)]
        faults.wait(mode, count=1)
        while transport.flights.flights["token"].waiters < 4:
            time.sleep(0.001)
        faults.open(mode)
        assert {one.result() for one in asked} == {("unavailable", "upstream_status")}
    assert faults.count(mode) == 1
    assert transport.flights.flights == {}


def test_a_forked_child_does_not_wait_for_its_parents_requests(direct, faults):
    transport = direct("gate-child", TIMEOUT=20, CACHE=None)
    asking = threading.Thread(target=outcome, args=(transport,))
    asking.start()
    faults.wait("gate-child", count=1)
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if outcome(transport) == ("valid", user_of("token")) else 1)
        finally:
            os._exit(2)
    faults.wait("gate-child", count=2)
    faults.open("gate-child")
    assert os.waitpid(child, 0)[1] == 0
    asking.join()


def test_a_forked_child_opens_its_own_connections(faults):
    pool = HttpPool(faults.url("echo"), "/api/me/", 4, None)
    assert pool.get("token", time.monotonic() + 10).status == 200
    (kept,) = pool._idle
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            reply = pool.get("token", time.monotonic() + 10)
            own = all(one.getsockname() != kept.getsockname() for one in pool._idle)
            os.write(write, b"own" if reply.status == 200 and own and pool._idle else b"shared")
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        assert answer.read() == b"own"
    os.waitpid(child, 0)
    assert faults.seen("echo")["connections"] == 2
    assert pool.get("token", time.monotonic() + 10).status == 200  # on the connection that it has kept
    assert faults.seen("echo")["connections"] == 2
    pool.close()


def test_max_age_joins_no_request_that_is_too_old_and_shares_the_next_one(direct, faults):
    mode = faults.script("slow", {"gate": True}, {"gate": True})
    transport = direct(mode, CACHE=None)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        first = pool.submit(outcome, transport)
        faults.wait(mode, count=1)
        fresh = [pool.submit(transport.query, "token", None, None, 0) for _ in range(10)]
        while (transport.flights.flights["token"].successor or transport.flights.flights["token"]).waiters < 9:
            time.sleep(0.001)
        assert faults.count(mode) == 1  # the next one waits for the first
        faults.open(mode)
        assert first.result()[0] == "valid"
        assert {one.result()[1].id for one in fresh} == {user_of("token")}
    assert faults.count(mode) == 2
    assert transport.flights.flights == {}


def test_max_age_takes_a_cached_answer_that_is_young_enough(direct, faults):
    clock = Clock()
    transport = direct("echo", clock=clock)
    for offset, max_age, requests in ((0, None, 1), (5, 30, 1), (5, 4, 2), (5, 0, 3), (40, 30, 4), (40, None, 4)):
        clock.offset = offset
        assert type(transport.query("token", None, None, max_age)) is tuple
        assert faults.count("echo") == requests, (offset, max_age)


# ---- what is kept --------------------------------------------------------------------------------


def keeps(transport, faults, mode, clock=None, after=0.0, token="token"):
    """Whether a second query is answered without a second request."""
    faults.reset()
    caches["default"].clear()
    if clock:
        clock.offset = 0
    outcome(transport, token)
    if clock:
        clock.offset = after
    outcome(transport, token)
    return faults.count(mode) == 1


def test_a_confirmation_is_cached_for_its_ttl(direct, faults):
    clock = Clock()
    assert keeps(direct("ok", clock=clock), faults, "ok", clock, 59)
    assert not keeps(direct("ok", clock=clock, MAX_TTL=10), faults, "ok", clock, 11)
    caches["default"].clear()
    transport = direct("ok", clock=clock)
    assert keeps(transport, faults, "ok", clock, 20)
    transport._settings.max_ttl = 10
    clock.offset = 11
    outcome(transport)
    assert faults.count("ok") == 2
    assert keeps(direct("max-age-30-age-28", clock=clock), faults, "max-age-30-age-28", clock, 1)
    assert not keeps(direct("max-age-30-age-28", clock=clock), faults, "max-age-30-age-28", clock, 3)


@pytest.mark.parametrize("mode", ["no-store", "no-cache", "max-age-garbage"])
def test_cache_control_can_forbid_caching(direct, faults, mode):
    assert not keeps(direct(mode), faults, mode)


def test_no_ttl_extends_past_exp(direct, faults):
    clock = Clock()
    token = jwt(exp=int(time.time()) + 40, sub="a")
    transport = direct("echo", clock=clock, CLOCK_SKEW=30)
    assert keeps(transport, faults, "echo", clock, 5, token)
    clock.offset = 11
    faults.reset()
    outcome(transport, token)
    assert faults.count("echo") == 1


def test_an_expired_token_is_rejected_without_a_request(direct, faults):
    transport = direct("echo", CLOCK_SKEW=30)
    assert outcome(transport, jwt(exp=int(time.time()) - 31)) == ("invalid", "expired")
    assert faults.count("echo") == 0
    assert outcome(transport, jwt(exp=int(time.time()) - 29))[0] == "valid"


def test_a_rejection_is_cached_briefly_and_an_outage_is_not(direct, faults):
    clock = Clock()
    assert keeps(direct("401", clock=clock, NEGATIVE_TTL=5), faults, "401", clock, 4)
    assert not keeps(direct("401", clock=clock, NEGATIVE_TTL=5), faults, "401", clock, 6)
    assert not keeps(direct("status-500"), faults, "status-500")


def test_a_late_200_does_not_restore_a_rejected_token(direct, faults):
    """Two processes share a cache; one receives the rejection while the other's request is in flight."""
    mode = faults.script("late", {"gate": True}, {"status": 401})
    first, second = direct(mode), DirectTransport(Settings())
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(outcome, first)
        faults.wait(mode, count=1)
        assert outcome(second) == ("invalid", "rejected")
        faults.open(mode)
        assert asked.result() == ("invalid", "rejected")
    assert outcome(first) == ("invalid", "rejected")



def test_the_cache_holds_no_token_and_changed_entries_are_ignored(direct, faults):
    transport = direct("echo")
    token, other = "s3cret-token", "another-token"
    outcome(transport, token)
    outcome(transport, other)
    cache, keys = caches["default"], [transport._cache.key_of(name) for name in (token, other)]
    values = [cache.get(key) for key in keys]
    assert token not in str(keys) and all(token not in value for value in values)
    json.loads(values[0][64:])
    cache.set(keys[0], values[1])  # another user's, genuine, under this token's key
    assert outcome(transport, token) == ("valid", user_of(token))
    cache.set(keys[0], values[0].replace('"rvt"', '"adm"'))
    assert transport.query(token, None, None)[1].roles == ("rvt",)
    for junk in ("", "x" * 64, "x" * 200, b"bytes", {"members": {}}, 5):
        cache.set(keys[0], junk)
        assert outcome(transport, token) == ("valid", user_of(token))


def test_the_cache_key_covers_every_input_of_an_answer(direct, faults):
    outcome(direct("echo"))
    for changes in ({"ROLE_CLAIMS": ["roles"]}, {"ID_CLAIM": "email"}, {"ME_PATH": "/api/me/?x"}):
        faults.reset()
        outcome(direct("echo", **changes))
        assert faults.count("echo") == 1, changes


def test_a_broken_cache_is_no_error(direct):
    broken = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": "unix:///nonexistent/redis.sock"}}
    assert outcome(direct("echo", caches=broken)) == ("valid", user_of("token"))


@pytest.fixture
def redis(scratch):
    root = scratch()
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "redis-server", "--port", "0", "--unixsocket", str(root / "redis.sock"),
                                "--save", "", "--dir", str(root)], stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "ready to accept" in line.lower():
            break
    yield f"unix://{root}/redis.sock"
    process.terminate()
    process.communicate()


def test_claims_in_redis_serve_every_process(direct, faults, redis):
    where = {"default": {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": redis}}
    transport = direct("echo", caches=where)
    assert outcome(transport) == ("valid", user_of("token"))
    child = os.fork()
    if child == 0:
        try:
            caches["default"].client.disconnect()
            os._exit(0 if outcome(DirectTransport(Settings())) == ("valid", user_of("token")) else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    assert faults.count("echo") == 1


# ---- reading -------------------------------------------------------------------------------------


@pytest.mark.parametrize("payload,expected", [
    ({"exp": 5}, 5), ({"exp": 5.5}, 5.5), ({"exp": -5}, -5), ({"exp": 10**400}, NEVER), ({"exp": -(10**400)}, -NEVER), ({"exp": "5"}, 5), ({"exp": "5", "iat": 3}, 5),
    ({"exp": True}, NEVER), ({"exp": None}, NEVER), ({}, NEVER), ([], NEVER), (5, NEVER)])
def test_exp_is_read_as_the_daemon_reads_it(payload, expected):
    part = base64url(json.dumps(payload).encode())
    assert expires_at(f"x.{part}.y") == expected


@pytest.mark.parametrize("token", ["", "x", "a.b", "a.b.c.d", "a.b.c.d.e", "a.!.c", "a..c", "a.e30.c", "a.e.c", "a.\xe9.c"])
def test_an_opaque_token_has_no_exp(token):
    assert expires_at(token) == NEVER


def test_with_two_exp_the_earlier_one_counts():
    assert expires_at("x." + base64url(b'{"exp":9,"exp":5}') + ".y") == 5


@pytest.mark.parametrize("payload,readable", [
    ({"exp": 5}, True), ({"iat": 5.5}, True), ({}, True), ([], True), ({"exp": "5"}, True), ({"exp": "x"}, False), ({"iat": None}, False), ({"exp": 5, "iat": "x"}, False),
    ({"sub": {"exp": "x"}}, True)])
def test_an_unreadable_time_is_reported(payload, readable):
    assert times_of("x." + base64url(json.dumps(payload).encode()) + ".y").readable == readable


def test_an_answer_is_not_cached_if_a_time_of_its_token_cannot_be_read(direct, faults):
    assert keeps(direct("echo"), faults, "echo", token=jwt(sub="a"))
    assert not keeps(direct("echo"), faults, "echo", token=jwt(sub="a", exp="soon"))
    assert not keeps(direct("echo"), faults, "echo", token=jwt(sub="a", iat=None))


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=60), st.text(max_size=40).map(lambda text: base64.urlsafe_b64encode(text.encode("utf-8", "ignore")))))
def test_no_payload_crashes_the_reader(payload):
    expires_at(f"x.{payload.decode('latin-1')}.y")


def as_json(value):
    return json.dumps(value).encode()


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "email", "role", "x"]), inner, max_size=4), max_leaves=8)


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.binary(max_size=80), values.map(as_json)))
def test_no_document_crashes_the_parser(body):
    try:
        claims = ClaimsMapping().read(body)
    except (BadDocument, Mismatch, RolesUnknown):
        return
    assert isinstance(claims, Claims) and claims.id != ""
    json.dumps(claims).encode()


def test_the_pool_opens_at_most_its_connections(faults):
    pool = HttpPool(faults.url("gate-pool"), "/api/me/", 3, None)
    with concurrent.futures.ThreadPoolExecutor(3) as threads:
        asked = [threads.submit(pool.get, f"token-{number}", time.monotonic() + 20) for number in range(3)]
        faults.wait("gate-pool", count=3, in_flight=3)
        with pytest.raises(FetchFailed) as refused:
            pool.get("token-4", time.monotonic() + 0.2)
        faults.open("gate-pool")
        assert {one.result().status for one in asked} == {200}
    assert refused.value.reason == "overloaded"
    assert faults.count("gate-pool") == 3
    assert pool.get("token-5", time.monotonic() + 20).status == 200
    pool.close()


def test_tls_is_checked():
    context = HttpPool("https://auth.example.com", "/api/me/", 1, None)._tls
    assert context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname


