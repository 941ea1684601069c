"""Three daemons and one Redis: what is revoked on one host is revoked on all, no lookup waits for
Redis, and Redis sees no secret. test_fleet_hosts.py has hosts that join, restart and leave."""

import json
import pathlib
import re
import subprocess
import time

import pytest

from fleets import EVERYWHERE, NAME, findings, identity_file, is_current, reason, status_of, token_of
from peer import Peer, until


@pytest.fixture(scope="module")
def made(fleet):
    """Three hosts. The third one answers nothing after three seconds without Redis."""
    made = fleet(2)
    made.add(when_lost="unavailable", lost_after="3s")
    made.wait_current()
    return made


@pytest.fixture(scope="module")
def hosts(made):
    return made.hosts


def metric(daemon, name):
    found = re.search(rf"^{name} (\S+)$", daemon.admin("/metrics")[1].decode(), re.MULTILINE)
    return float(found[1]) if found else None


def are_revoked(hosts, token):
    return all(reason(host, token) == "revoked" for host in hosts)


def everywhere(done):
    return json.loads(done.stdout)["everywhere"]


def threads(daemon):
    tasks = pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir()
    return sorted((task / "comm").read_text().strip() for task in tasks)


# ---- One order, every host.

def test_what_one_host_revokes_and_withdraws_is_in_effect_on_all_when_the_command_returns(hosts, claimsctl):
    token, other = token_of("a"), token_of("b")
    for host in hosts:
        assert reason(host, token) == reason(host, other) == "ok"
    done = claimsctl(hosts[0], "revoke", *EVERYWHERE, token=token)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"everywhere +in effect on 3 of 3 hosts\n", done.stdout)
    assert are_revoked(hosts, token)
    assert reason(hosts[1], other) == "ok"

    done = claimsctl(hosts[1], "--json", "revoke", "--user", "some-user", "--lock", *EVERYWHERE)
    assert everywhere(done) == {"complete": True, "hosts": 3, "acknowledged": 3, "knows_all_hosts": True, "missing": []}

    listed = json.loads(hosts[0].admin("/v1/revocations")[1])["revocations"]
    action = next(one for one in listed if one["kind"] == "token")
    assert action["author_host"] is not None
    assert claimsctl(hosts[2], "unrevoke", action["id"], *EVERYWHERE).returncode == 0
    assert [reason(host, token) for host in hosts] == ["ok"] * 3


def test_a_purge_makes_all_hosts_ask_the_auth_api_again(hosts, claimsctl, fault_server):
    token = token_of("purged")
    assert [reason(host, token) for host in hosts] == ["ok"] * 3
    before = fault_server.count("echo")
    assert [reason(host, token) for host in hosts] == ["ok"] * 3
    assert fault_server.count("echo") == before
    assert claimsctl(hosts[2], "purge", "--all", *EVERYWHERE).returncode == 0
    assert [reason(host, token) for host in hosts] == ["ok"] * 3
    assert fault_server.count("echo") == before + 3
    refused = claimsctl(hosts[2], "purge", "--everywhere", token=token)
    assert refused.returncode != 0
    assert "for this host only" in refused.stderr


def test_claimsctl_fleet_lists_the_hosts(hosts, claimsctl):
    until(lambda: claimsctl(hosts[0], "fleet").returncode == 0, "all rows say current")
    shown = claimsctl(hosts[0], "fleet").stdout
    assert f"fleet {NAME}: current" in shown
    assert "3 of 3 hosts are current" in shown
    assert re.search(r"host-1 \(this host\) +\S+ +current", shown)
    assert re.search(r"host-2 +\S+ +current", shown)
    listed = json.loads(claimsctl(hosts[0], "--json", "fleet").stdout)
    assert [host["name"] for host in listed["hosts"]] == ["host-1", "host-2", "host-3"]
    assert "fleet" in claimsctl(hosts[0], "status").stdout


def test_the_log_and_the_audit_log_of_the_others_name_the_host_where_it_was_ordered(hosts, claimsctl):
    done = claimsctl(hosts[0], "--json", "revoke", *EVERYWHERE, token=token_of("audited"))
    action = json.loads(done.stdout)["id"]

    recorded = f"host=host-1 action={action}"
    until(lambda: recorded in hosts[1].admin("/v1/audit?event=revoked")[1].decode(), "the order is recorded on the other host")
    assert f"of host host-1 revoked a token ({action})" in hosts[1].log()


# ---- Redis hangs, and comes back.

def test_when_redis_hangs_hosts_say_so_and_answer_as_configured_and_heal_afterwards(made, hosts, claimsctl):
    serving, strict = hosts[:2], hosts[2]
    token, other = token_of("cut"), token_of("other")
    assert [reason(host, other) for host in hosts] == ["ok"] * 3
    with Peer(serving[0].socket) as peer, made.redis.frozen():
        cut = time.monotonic()
        until(lambda: not any(map(is_current, hosts)), "no host is current")
        noticed = time.monotonic() - cut
        until(lambda: reason(strict, other) == "not_current", "the strict host answers unavailable")
        slowest = 0
        for _ in range(200):
            begin = time.monotonic()
            assert peer.ask(other).reason == "ok"
            slowest = max(slowest, time.monotonic() - begin)
        assert slowest < 5  # Redis stays frozen: a wait for it would not end
        assert metric(serving[0], "claimsd_fleet_current") == 0
        assert metric(serving[0], "claimsd_fleet_answers") == 1
        assert metric(strict, "claimsd_fleet_answers") == 0
        assert "answers queries nevertheless" in findings(serving[0])["fleet_not_current"]["message"]
        assert "answers every query unavailable" in findings(strict)["fleet_not_current"]["message"]
        assert strict.admin("/v1/ready")[0] == 503
        assert serving[0].admin("/v1/ready")[0] == 200

        done = claimsctl(serving[0], "--json", "revoke", "--everywhere", "--timeout", "1s", token=token)
        assert done.returncode == 75
        assert sorted(everywhere(done)["missing"]) == ["host-2", "host-3"]
        assert not everywhere(done)["complete"]
        assert reason(serving[0], token) == "revoked"
        assert reason(serving[1], token) == "ok"

    healed = time.monotonic()
    until(lambda: all(map(is_current, hosts)), "all hosts are current again")
    until(lambda: are_revoked(hosts, token), "the order reaches all hosts")
    print(f"noticed after {noticed:.1f} s, healed after {time.monotonic() - healed:.1f} s")
    assert reason(strict, other) == "ok"
    assert metric(strict, "claimsd_fleet_current") == 1


def test_the_map_of_a_host_that_may_not_answer_is_withdrawn(made, hosts, worker):
    client = worker(hosts[2], "ask")
    token = token_of("mapped")
    until(lambda: client.ask(token).source in ("shared", "local"), "the worker answers from the map")
    with made.redis.frozen():
        until(lambda: client.ask(token).reason == "not_current", "the worker gets no answer from the map")
    until(lambda: client.ask(token).reason == "ok", "the host answers again")


# ---- What Redis sees; hosts without a fleet.

def test_redis_sees_no_token_no_user_id_and_no_email(made, hosts, claimsctl):
    made.wait_current()
    redis = made.redis
    redis.call("CONFIG", "SET", "appendonly", "yes")
    seen = redis.root / "monitor"
    with open(seen, "wb") as output:
        monitor = subprocess.Popen(redis.command("MONITOR"), stdout=output, stderr=output)
        until(lambda: seen.stat().st_size > 0, "MONITOR runs")
        token = token_of("canary-token")
        assert reason(hosts[0], token) == "ok"
        for order in (("revoke",), ("revoke", "--user", "canary-user"), ("purge", "--user", "canary-purged"),
                      ("revoke", "--user", "canary.mail@example.com", "--lock")):
            done = claimsctl(hosts[0], *order, *EVERYWHERE, token=token)
            assert done.returncode == 0, done.stdout + done.stderr
        monitor.terminate()
        monitor.wait()
    redis.call("SAVE")
    kept = {path: path.read_bytes() for path in redis.root.rglob("*") if path.is_file()}
    assert b"claimsd:test" in kept[seen]
    assert {".rdb", ".aof"} <= {path.suffix for path in kept}
    for secret in (token, token.split(".")[1], "canary-token", "canary-user", "canary.mail", "canary-purged"):
        assert [path for path, data in kept.items() if secret.encode() in data] == []


def test_without_fleet_there_is_no_thread_and_no_connection(hosts, claimsd, faults, claimsctl):
    alone = claimsd(faults.url("echo"))
    assert "claimsd-bus" in threads(hosts[0])
    assert "claimsd-bus" not in threads(alone)
    assert status_of(alone) == {"on": False}
    assert not identity_file(alone).exists()
    assert metric(alone, "claimsd_fleet_current") is None
    shown = claimsctl(alone, "fleet")
    assert (shown.returncode, shown.stdout) == (0, "this host is in no fleet: its configuration has no [fleet]\n")
    refused = claimsctl(alone, "revoke", "--everywhere", token=token_of("alone"))
    assert refused.returncode == 78
    assert "in no fleet" in refused.stderr
    assert reason(alone, token_of("alone")) == "ok"
