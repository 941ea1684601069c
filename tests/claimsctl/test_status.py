"""claimsctl status against a fake admin API."""

import json
import os
import socket

import pytest
from fakes import FakeAdmin

STATUS = {
    "schema": 1, "healthy": True, "state": "running", "findings": [], "version": "0.1.0", "pid": 4711,
    "started": "2026-01-02T03:04:05Z", "uptime_seconds": 11545.5,
    "claims_socket": "/run/claimsd/claims.sock", "config_file": "/etc/claimsd/claimsd.toml",
    "connections": {"open": 12, "max": 1024}, "queries": {"waiting": 3},
    "http": {"on": True, "connections": 40, "max_connections": 2048},
    "requests": {"in_flight": 2, "pending": 5},
    "cache": {"entries": 812, "max_entries": 100000, "negative_entries": 7, "hit_ratio": 0.9871},
    "leases": {"slots": 16384, "used": 640, "epoch": 0},
    "upstreams": [
        {"name": "main", "url": "https://auth.example.com", "default": True, "state": "ok",
         "requests": 900, "failures": 4, "consecutive_failures": 0,
         "last_failure": "upstream_timeout", "last_latency_seconds": 0.0123}],
    "audit": {"state": "writable", "directory": "/var/lib/claimsd/audit", "level": "failures", "when_full": "unavailable",
              "sequence": 5012, "segments": 2, "bytes": 3145728, "waiting": 8, "max_waiting": 65536},
    "counters": {"queries": 1234567, "worker_hits": 9000000, "leases_published": 5120, "leases_renewed": 77, "lease_collisions": 3,
                 "http_allowed": 70001, "http_unauthorized": 12, "http_denied": 3, "http_unavailable": 4},
}
UNWELL = {**STATUS, "healthy": False, "findings": [
    {"code": "upstream_failing", "message": "the Auth API \"main\" failed 9 times in a row",
     "hint": "check the Auth API"}]}


def admin(claimsctl, status, http_status=200):
    return FakeAdmin(claimsctl.admin_socket, json.dumps(status).encode(), http_status)


def test_a_healthy_daemon_shows_its_numbers_on_one_screen(claimsctl):
    with admin(claimsctl, STATUS) as fake:
        done = claimsctl.run("status")
    assert done.returncode == 0, done.stderr
    assert fake.paths == ["/v1/status"]
    for shown in ("claimsd is healthy", "version 0.1.0", "pid 4711", "3 h 12 min", "12 of 1,024",
                  "1,234,567 received", "98.7 %", "3 waiting", "812 of 100,000", "2 in flight",
                  "40 of 2,048 connections; 200: 70,001, 401: 12, 403: 3, 503: 4",
                  "9,000,000 answered by workers themselves",
                  "640 of 16,384 slots, 5,120 published, 77 renewed, 3 collisions",
                  "main https://auth.example.com (default): ok", "900 requests, 4 failed",
                  "writable; sequence 5,012, 2 segments of 3.0 MiB in /var/lib/claimsd/audit",
                  "level failures; 8 answers wait for their record",
                  "12.3 ms", "last failure: upstream_timeout", "/etc/claimsd/claimsd.toml"):
        assert shown in done.stdout, shown
    assert len(done.stdout.splitlines()) <= 24
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_an_http_socket_that_is_off_is_said_to_be(claimsctl):
    with admin(claimsctl, {**STATUS, "http": {"on": False, "connections": 0, "max_connections": 0}}):
        assert any(line.split() == ["HTTP", "off"] for line in claimsctl.run("status").stdout.splitlines())


@pytest.mark.parametrize("status, first", [
    (STATUS, ["claimsd is healthy"]),
    (UNWELL, ["claimsd is degraded", '  ! the Auth API "main" failed 9 times in a row', "    fix: check the Auth API"])])
def test_the_first_line_is_the_health_and_the_next_ones_what_to_do(claimsctl, status, first):
    with admin(claimsctl, status):
        assert claimsctl.run("status").stdout.splitlines()[:len(first)] == first


@pytest.mark.parametrize("seconds, shown", [
    (0.25, "250 ms"), (12.34, "12.3 s"), (754, "12 min 34 s"), (11545, "3 h 12 min"), (4 * 86400 + 7300, "4 days 2 h"), (59.5 * 86400, "59 days")])
def test_durations_have_units_that_people_use(claimsctl, seconds, shown):
    with admin(claimsctl, {**STATUS, "uptime_seconds": seconds}):
        assert f"running for {shown} (since" in claimsctl.run("status").stdout


@pytest.mark.parametrize("size, shown", [
    (0, "0 bytes"), (1023, "1023 bytes"), (16384, "16 KiB"), (3145728, "3.0 MiB"), (76341575680, "71 GiB"), (1319413953331, "1.2 TiB")])
def test_sizes_have_units_that_people_use(claimsctl, size, shown):
    with admin(claimsctl, {**STATUS, "audit": {**STATUS["audit"], "bytes": size}}):
        assert f"2 segments of {shown} in" in claimsctl.run("status").stdout


def test_an_unhealthy_daemon_says_what_to_do_and_exits_69(claimsctl):
    with admin(claimsctl, UNWELL):
        done = claimsctl.run("status")
    assert done.returncode == 69
    assert "claimsd is degraded" in done.stdout and "failed 9 times" in done.stdout
    assert "fix: check the Auth API" in done.stdout


@pytest.mark.parametrize("status, code", [(STATUS, 0), (UNWELL, 69)])
def test_json_output_is_the_daemons_own_object(claimsctl, status, code):
    with admin(claimsctl, status):
        done = claimsctl.run("status", "--json")
    assert done.returncode == code
    assert json.loads(done.stdout) == status
    assert done.stdout.count("\n") == 1


def test_a_status_with_missing_fields_is_still_shown(claimsctl):
    with admin(claimsctl, {"schema": 1, "healthy": True}):
        done = claimsctl.run("status")
    assert done.returncode == 0 and "claimsd is healthy" in done.stdout


def test_a_daemon_without_a_map_says_that_every_query_uses_the_socket(claimsctl):
    with admin(claimsctl, {**STATUS, "leases": {"slots": 0, "used": 0, "epoch": 0}}):
        done = claimsctl.run("status")
    assert "none: every query uses the socket" in done.stdout


@pytest.mark.parametrize("state, shown", [
    ("off", "audit log    off"), ("disk_full", "disk full; sequence"), ("reopening", "not writable, retrying")])
def test_an_audit_log_that_accepts_no_records_is_reported(claimsctl, state, shown):
    counters = {"audit_unavailable": 17, "audit_unrecorded": 4}
    with admin(claimsctl, {**UNWELL, "audit": {**STATUS["audit"], "state": state}, "counters": counters}):
        done = claimsctl.run("status")
    assert shown in done.stdout
    if state != "off":
        assert "17 events not recorded and answered unavailable" in done.stdout and "4 events answered without a record" in done.stdout


def test_no_admin_socket_exits_69_and_suggests_starting_the_service(claimsctl):
    done = claimsctl.run("status")
    assert done.returncode == 69
    assert f"the admin socket {claimsctl.admin_socket} does not exist" in done.stderr
    assert "systemctl stop claimsd.socket" in done.stderr


def test_a_dead_admin_socket_exits_69(claimsctl):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(claimsctl.admin_socket)
    done = claimsctl.run("status", "--json")
    assert done.returncode == 69
    shown = json.loads(done.stdout)
    assert shown["schema"] == 1 and shown["error"]["code"] == "no_daemon"
    assert "no process listens" in shown["error"]["message"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_without_permission_it_exits_77_and_names_the_group(claimsctl):
    with admin(claimsctl, STATUS):
        os.chown(claimsctl.admin_socket, 0, 4)  # adm: a group that every Debian has
        os.chmod(claimsctl.admin_socket, 0o660)
        done = claimsctl.run("status", user=65534, extra_groups=[])
        again = claimsctl.run("status", user=65534, extra_groups=[4])
    assert done.returncode == 77
    assert "group adm" in done.stderr and "usermod -aG adm" in done.stderr
    assert again.returncode == 0


@pytest.mark.parametrize("body, http_status", [
    (b"{}", 200), (b"no json", 200), (b"", 200), (b'{"schema":2}', 200),
    (b'{"schema":1,"healthy":true}', 404), (b'{"schema":1,"healthy":tru', 200)])
def test_a_reply_that_is_not_a_status_exits_69(claimsctl, body, http_status):
    with FakeAdmin(claimsctl.admin_socket, body, http_status):
        done = claimsctl.run("status")
    assert done.returncode == 69
    assert "is not a status that this claimsctl can read" in done.stderr


def test_proxy_variables_in_the_environment_are_ignored(claimsctl, tmp_path):
    proxies = {name: "http://127.0.0.1:1" for name in ("http_proxy", "all_proxy", "ALL_PROXY")}
    with admin(claimsctl, STATUS):
        done = claimsctl.run("status", environment={**proxies, "HOME": str(tmp_path)})
    assert done.returncode == 0


def test_the_option_overrides_the_environment(claimsctl):
    with admin(claimsctl, STATUS):
        done = claimsctl.run("--admin-socket", claimsctl.admin_socket, "status",
                             environment={"CLAIMSD_ADMIN_SOCKET": "/nonexistent"})
    assert done.returncode == 0


def test_a_path_too_long_for_a_socket_is_wrong_usage(claimsctl):
    assert claimsctl.run("status", "--admin-socket", "/" + "x" * 107).returncode == 2


def test_text_from_the_daemon_cannot_control_the_terminal(claimsctl):
    with admin(claimsctl, {**STATUS, "version": "\x1b[2J\u009b1m"}):
        done = claimsctl.run("status")
    assert "\x1b" not in done.stdout and "\u009b" not in done.stdout
