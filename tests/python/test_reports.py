"""A site's final refusals in claimsd's audit log: Django, the extension, the daemon and claimsctl, all real."""

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient, Client

from auth_integration import _claimsd, runtime
from peer import until
from tokens import jwt

USER = "user-4711"
REPORTED = ("denied", "unauthenticated", "reported_unavailable", "unacknowledged")
NO_BUDGETS = {"misses_per_uid": 0, "misses_per_client": 0}
MIDDLEWARE = ["auth_integration.middleware.CacheUserClaimsMiddleware"]
SENDS = {"TIMEOUT": 30.0, "REPORT_TIMEOUT": 30.0}  # a loaded machine is no outage
WAITS = {**SENDS, "REPORT_WAIT": True}


@pytest.fixture
def claimsctl(build):
    def run(daemon, *arguments, token=""):
        done = subprocess.run([str(build / "client" / "claimsctl" / "claimsctl"), "--admin-socket", str(daemon.admin_socket), *map(str, arguments)],
                              input=token, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.fixture
def url(fault_server):
    """An Auth API to which every token is the receptionist's."""
    return fault_server.url(fault_server.script("receptionist", {"body": {"id": USER, "email": "canary@example.com", "role": "receptionist"}}))


@pytest.fixture
def site(claimsd, url, use):
    """site(**daemon): starts the daemon that the clinic in this process queries."""
    def start(**configuration):
        daemon = claimsd(url, limits={**NO_BUDGETS, **configuration.pop("limits", {})}, **configuration)
        use(AUTH_API_URL=url, SOCKET=str(daemon.socket), **WAITS)
        return daemon

    return start


@pytest.fixture
def errors(caplog):
    """The site's log records of lost reports."""
    caplog.set_level(logging.INFO, "auth_integration.audit")
    return lambda: [json.loads(record.getMessage()) for record in caplog.records
                    if record.name == "auth_integration.audit" and record.levelname == "ERROR"]


def bearer(token):
    return {"HTTP_AUTHORIZATION": f"Bearer {token}"}


def records(claimsctl, daemon, *arguments, token=""):
    """The reported refusals that `claimsctl audit search` finds on the running daemon."""
    lines = claimsctl(daemon, "--json", "audit", "search", *arguments, "--directory", daemon.root / "audit", token=token).splitlines()
    return [record for record in map(json.loads, lines) if record["event"] in REPORTED]


def test_a_permission_denied_is_in_the_audit_log_with_who_what_and_why(site, claimsctl, errors):
    daemon = site()
    token = jwt(sub="denied")
    path = "/patients/jane-doe/"
    assert Client().get(path, HTTP_TRACEPARENT="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", **bearer(token)).status_code == 403
    (record,) = records(claimsctl, daemon)
    assert (record["event"], record["status"], record["method"]) == ("denied", 403, "GET")
    assert record["route"] == "patients/<str:patient>/"
    assert record["roles"] == "HasRole(rvt)"
    assert record["user"] == USER
    assert (record["peer"]["uid"], record["peer"]["pid"]) == (os.geteuid(), os.getpid())
    assert "client=127.0.0.1" in record["detail"] and "trace=00-4bf92f3577b34da6" in record["detail"]
    assert "jane" not in json.dumps(record)
    # Found by its user, and by its token, which is named as the daemon's own records name it.
    assert records(claimsctl, daemon, "--user", USER) == [record]
    assert records(claimsctl, daemon, "--token", "--key-file", daemon.key_file, token=token) == [record]
    assert errors() == []


def test_the_fingerprint_is_that_of_the_daemons_own_records(site, claimsctl):
    daemon = site(audit={"level": "verifications"})
    token = jwt(sub="both")
    assert Client().get("/tech/", **bearer(token)).status_code == 403
    lines = claimsctl(daemon, "--json", "audit", "search", "--user", USER, "--directory", daemon.root / "audit").splitlines()
    by_event = {record["event"]: record for record in map(json.loads, lines)}
    assert set(by_event) == {"verified", "denied"}
    assert by_event["verified"]["token"] == by_event["denied"]["token"] != ""


@pytest.mark.parametrize("with_middleware", [False, True], ids=["alone", "with middleware"])
def test_each_final_refusal_is_there_once_whatever_its_status(site, claimsctl, use, with_middleware):
    daemon = site()
    if with_middleware:
        use(MIDDLEWARE=MIDDLEWARE)
    client = Client()
    for path in ("/tech/", "/plain/"):
        assert client.get(path).status_code == 401
        assert client.post(path, HTTP_AUTHORIZATION="Bearer a b").status_code == 401
        assert client.get(path, **bearer(jwt(sub="x", exp=1000))).status_code == 401
        assert client.get(path, **bearer(jwt(sub="fine"))).status_code == 403
    assert client.get("/me/", **bearer(jwt(sub="fine"))).status_code == 200
    found = [(record["event"], record["status"], record["method"], record["route"], record.get("reason", ""), record["count"])
             for record in records(claimsctl, daemon)]
    assert sorted(found) == sorted(
        (event, status, method, route, reason, 1) for route in ("tech/", "plain/") for event, status, method, reason in (
            ("unauthenticated", 401, "GET", ""), ("unauthenticated", 401, "POST", "malformed"), ("unauthenticated", 401, "GET", "expired"),
            ("denied", 403, "GET", "")))


def test_an_outage_is_recorded(claimsd, faults, use, claimsctl):
    daemon = claimsd(faults.url("status-500"))
    use(AUTH_API_URL=faults.url("status-500"), SOCKET=str(daemon.socket), **WAITS)
    assert Client().get("/tech/", **bearer(jwt(sub="who"))).status_code == 503
    (record,) = records(claimsctl, daemon)
    assert (record["event"], record["status"], record["verdict"], record["reason"]) == ("reported_unavailable", 503, "unavailable", "upstream_status")


def test_with_report_wait_the_record_is_on_disk_before_the_refusal_is_sent(site, claimsctl):
    daemon = site()
    token = jwt(sub="killed")
    assert Client().get("/tech/", **bearer(token)).status_code == 403
    daemon.kill()
    exported = claimsctl(daemon, "audit", "export", "--format", "jsonl", "--directory", daemon.root / "audit")
    assert [record["user"] for record in map(json.loads, exported.splitlines()) if record["event"] == "denied"] == [USER]
    assert claimsctl(daemon, "audit", "verify", "--directory", daemon.root / "audit")


def test_without_a_daemon_the_refusal_is_unchanged_and_counted_later(site, claimsctl, errors):
    daemon = site()
    client, token = Client(), jwt(sub="away")
    assert client.get("/me/", **bearer(token)).status_code == 200
    daemon.stop()
    began = time.monotonic()
    for _ in range(3):
        assert client.get("/tech/").status_code == 401
    assert client.get("/tech/", **bearer(jwt(sub="another"))).status_code == 503
    assert time.monotonic() - began < WAITS["REPORT_TIMEOUT"]  # who is not there is not waited for that long
    assert [error["event"] for error in errors()] == ["report_lost"] * 4
    assert {error["reason"] for error in errors()} <= {"no_daemon", "disconnected"}
    daemon.start()
    assert client.get("/tech/", **bearer(token)).status_code == 403
    by_event = {record["event"]: record for record in records(claimsctl, daemon)}
    assert set(by_event) == {"denied", "unacknowledged"}
    assert by_event["unacknowledged"]["count"] == 4
    assert "4 events that were not recorded" in claimsctl(daemon, "audit", "report", "--directory", daemon.root / "audit")


def test_a_missing_audit_log_is_logged_once_and_delays_no_response(site, errors):
    site(audit={"enabled": False})
    client = Client()
    for _ in range(5):
        assert client.get("/tech/", **bearer(jwt(sub="x"))).status_code == 403
    assert [error["reason"] for error in errors()] == ["no_reports"]


def test_a_hanging_daemon_delays_a_refusal_for_at_most_report_timeout(site, use, errors, url):
    daemon = site()
    client, token = Client(), jwt(sub="slow")
    assert client.get("/me/", **bearer(token)).status_code == 200
    use(AUTH_API_URL=url, SOCKET=str(daemon.socket), TIMEOUT=30.0, REPORT_WAIT=True, REPORT_TIMEOUT=0.3)
    assert client.get("/me/", **bearer(token)).status_code == 200
    daemon.signal(signal.SIGSTOP)
    try:
        assert client.get("/tech/").status_code == 401
    finally:
        daemon.signal(signal.SIGCONT)
    assert [error["reason"] for error in errors()] == ["timeout"]


def test_by_default_a_refusal_does_not_wait_and_is_recorded(site, use, claimsctl, url):
    daemon = site()
    use(AUTH_API_URL=url, SOCKET=str(daemon.socket), **SENDS)
    client = Client()
    assert client.get("/tech/").status_code == 401  # connected
    daemon.signal(signal.SIGSTOP)
    try:
        for _ in range(20):
            assert client.get("/tech/").status_code == 401
    finally:
        daemon.signal(signal.SIGCONT)
    until(lambda: sum(record["count"] for record in records(claimsctl, daemon)) == 21, "all refusals in the audit log")


def test_reports_of_a_worker_that_ended_are_recorded(site, claimsctl):
    daemon = site()
    program = f"""if True:
        import os
        from auth_integration import _claimsd
        handle = _claimsd.Handle(lambda *parts: parts, socket={str(daemon.socket)!r})
        for number in range(100):
            assert handle.report(403, user=f"user-{{number}}") is None
        os._exit(0)"""
    subprocess.run(["/usr/bin/python3", "-c", program], check=True, timeout=60, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})
    until(lambda: {record["user"] for record in records(claimsctl, daemon)} == {f"user-{number}" for number in range(100)}, "100 records")


def test_by_default_lost_reports_are_counted_in_both_logs(site, use, claimsctl, errors, url):
    daemon = site()
    use(AUTH_API_URL=url, SOCKET=str(daemon.socket), TIMEOUT=30.0, REPORT_TIMEOUT=0.05)
    client = Client()
    daemon.signal(signal.SIGSTOP)
    for _ in range(3):
        assert client.get("/tech/").status_code == 401
    until(lambda: runtime.current().transport.handle.statistics()["reports_lost"] == 3, "three reports past their time")
    daemon.signal(signal.SIGCONT)

    def counted():
        assert client.get("/tech/").status_code == 401
        return sum(record["count"] for record in records(claimsctl, daemon) if record["event"] == "unacknowledged") >= 3

    until(counted, "three unacknowledged in the audit log")
    assert {error["reason"] for error in errors()} == {"not_recorded"}
    assert sum(error["count"] for error in errors()) >= 3


def test_by_default_a_refusal_on_an_event_loop_does_not_wait(site, use, claimsctl, url):
    daemon = site()
    use(AUTH_API_URL=url, SOCKET=str(daemon.socket), MIDDLEWARE=MIDDLEWARE, **SENDS)

    async def story():
        client = AsyncClient()
        assert (await client.get("/plain-async/")).status_code == 401  # connected
        await sync_to_async(daemon.signal)(signal.SIGSTOP)
        assert (await client.get("/plain-async/")).status_code == 401
        await sync_to_async(daemon.signal)(signal.SIGCONT)

    asyncio.run(story())
    until(lambda: sum(record["count"] for record in records(claimsctl, daemon)) == 2, "both refusals in the audit log")


def test_a_waiting_report_does_not_block_the_event_loop(site, use, claimsctl):
    """The daemon is stopped; other tasks of the loop go on, and the refusal waits for its record."""
    daemon = site()
    use(MIDDLEWARE=MIDDLEWARE)

    async def story():
        client = AsyncClient()
        assert (await client.get("/plain-async/")).status_code == 401  # connected
        await sync_to_async(daemon.signal)(signal.SIGSTOP)
        refused = asyncio.ensure_future(client.get("/plain-async/"))
        turns = 0
        while turns < 100:
            await asyncio.sleep(0)
            turns += 1
        assert not refused.done()
        await sync_to_async(daemon.signal)(signal.SIGCONT)
        assert (await refused).status_code == 401
        # By the decorator, too, where no middleware is.
        use(MIDDLEWARE=[])
        assert (await client.get("/plain-async/")).status_code == 401

    asyncio.run(story())
    found = records(claimsctl, daemon)
    assert {record["route"] for record in found} == {"plain-async/"}
    assert sum(record["count"] for record in found) == 3


def test_a_flood_of_reports_of_one_uid_is_aggregated_and_counted_completely(site, claimsctl):
    daemon = site(limits={"reports_per_uid": 5, "report_burst_per_uid": 20})
    sent, began = 2000, time.monotonic()

    def flood(first):
        handle = _claimsd.Handle(lambda *parts: parts, socket=str(daemon.socket))
        for number in range(first, sent, 4):
            why_not = handle.report(403, token=f"token-{number}", user=f"user-{number}", route=f"r/{number}", timeout_ms=60_000, await_record=True)
            assert why_not is None, why_not
        handle.close()

    threads = [threading.Thread(target=flood, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Known users have a share of their own.
    token = jwt(sub="known")
    assert Client().get("/tech/", **bearer(token)).status_code == 403
    counters = daemon.status()["counters"]
    assert counters["reports"] == sent + 1
    assert counters["reports_aggregated"] > sent / 2
    exported = claimsctl(daemon, "audit", "export", "--format", "jsonl", "--directory", daemon.root / "audit")
    found = [record for record in map(json.loads, exported.splitlines()) if record["event"] == "denied"]
    assert sum(record["count"] for record in found) == sent + 1
    # Separate records: a burst, the rate times the duration, and the known user.
    assert len([record for record in found if record.get("user")]) <= 20 + 5 * (time.monotonic() - began) + 2
    assert [record["count"] for record in found if record.get("user") == USER] == [1]


def test_no_token_and_no_email_is_anywhere_after_reports(site, claimsctl, build, caplog):
    daemon = site(log={"level": "debug"})
    caplog.set_level(logging.DEBUG)
    client = Client()
    tokens = [jwt(sub=f"canary-subject-{number}") for number in range(5)]
    for token in tokens:
        assert client.get("/tech/", HTTP_TRACEPARENT=token, **bearer(token)).status_code == 403
        assert client.get("/tech/", REMOTE_ADDR=token, **bearer(token)).status_code == 403
    assert client.get("/tech/", HTTP_AUTHORIZATION="Bearer canary token").status_code == 401
    handle = _claimsd.Handle(lambda *parts: parts, socket=str(daemon.socket))
    for place in ("user", "method", "route", "required", "client_address", "trace_id"):
        assert handle.report(403, token="canary-token-in-a-text", await_record=True, **{place: "canary-token-in-a-text"}) is None
    handle.close()
    shown = [claimsctl(daemon, "audit", "export", "--format", form, "--directory", daemon.root / "audit") for form in ("jsonl", "ecs", "ocsf", "csv")]
    shown += [claimsctl(daemon, "audit", "report", "--directory", daemon.root / "audit"), daemon.log(), caplog.text, json.dumps(daemon.status())]
    assert all("denied" in text for text in shown[:4])
    daemon.stop()
    left = {str(path): path.read_bytes() for path in daemon.root.rglob("*") if path.is_file()} | {"shown": "".join(shown).encode()}
    for secret in [*tokens, *(token.split(".")[1] for token in tokens), "canary-", "canary@example"]:
        assert [where for where, data in left.items() if secret.encode() in data] == [], secret


def test_line_ends_in_a_report_do_not_split_the_audit_line(site, claimsctl):
    daemon = site()
    handle = _claimsd.Handle(lambda *parts: parts, socket=str(daemon.socket))
    assert handle.report(403, user="a\nforged b=c", method="G\rT", route='x" user=root', required="r\x1b[2J\x7f\u2028", client_address="1 2",
                         await_record=True) is None
    handle.close()
    lines = claimsctl(daemon, "audit", "search", "--event", "denied", "--directory", daemon.root / "audit").split("\n")
    assert len(lines) == 2 and lines[1] == ""
    assert lines[0].isprintable() and "\x1b" not in lines[0] and " user=root" not in lines[0].replace('\\" user=root', "")


def test_a_report_with_a_status_below_400_is_an_error(site):
    daemon = site()
    handle = _claimsd.Handle(lambda *parts: parts, socket=str(daemon.socket))
    stream = handle.stream()
    for status in (0, 200, 399, 600, 2**20):
        with pytest.raises(ValueError):
            handle.report(status)
        with pytest.raises(ValueError):
            stream.report(1, status)
    assert handle.report(404, route="hidden/", await_record=True) is None
    assert handle.statistics()["reports_recorded"] == 1
    stream.close()
    handle.close()
