"""Hosts that join a fleet, restart, leave it, or are set up wrongly."""

import re

import pytest

from daemon import StartFailed
from fleets import (
    ACL, EVERYWHERE, findings, identity_file, is_current, reason, remembers_that_it_was_current, status_of, token_of, write_identity)
from peer import until


def refusal(host, *arguments):
    """The digest that accepts what the daemon refuses to start with."""
    with pytest.raises(StartFailed) as failed:
        host.start(arguments=arguments)
    assert re.search(r"hold \d+ actions of a fleet", failed.value.printed)
    return re.findall(r"--accept-revocations=(fleet-[0-9a-f]{8})", failed.value.printed)[-1]


@pytest.fixture(scope="module")
def founded(fleet):
    return fleet(1)


def test_a_host_that_joins_answers_only_after_it_has_everything(founded, claimsctl):
    for number in range(10):
        assert claimsctl(founded.hosts[0], "revoke", token=token_of(f"t{number}")).returncode == 0
    with founded.redis.frozen():
        late = founded.add()
        assert reason(late, token_of("t1")) == "not_current"
        assert reason(late, token_of("other")) == "not_current"
    until(lambda: is_current(late), "the new host is current")
    assert {reason(late, token_of(f"t{number}")) for number in range(10)} == {"revoked"}
    assert reason(late, token_of("other")) == "ok"


def test_a_restarted_host_keeps_everything_and_its_identity_without_redis(founded, claimsctl):
    founded.wait_current()
    first, second = founded.hosts[:2]
    assert claimsctl(first, "revoke", *EVERYWHERE, token=token_of("kept")).returncode == 0
    until(lambda: remembers_that_it_was_current(second), "the second host was current for ten seconds")
    with founded.redis.frozen():
        second.restart()
        assert reason(second, token_of("kept")) == "revoked"
        assert reason(second, token_of("other")) == "ok"  # it was current before: when_lost = serve
    founded.wait_current()
    assert status_of(first)["hosts"] == 2


def test_redis_may_lose_everything(founded, claimsctl):
    founded.wait_current()
    founded.redis.kill()
    founded.redis.start()  # empty: nothing was saved
    founded.wait_current()
    late = founded.add()
    until(lambda: is_current(late), "the new host is current")
    assert reason(late, token_of("kept")) == "revoked"


def test_orders_from_before_the_fleet_stay_on_their_host(founded, claimsctl):
    late = founded.add(start=False)
    in_fleet = late.tables.pop("fleet")
    late.start()
    assert claimsctl(late, "revoke", token=token_of("local")).returncode == 0
    late.stop()
    late.tables["fleet"] = in_fleet
    late.start()
    until(lambda: is_current(late), "the host is current")
    assert reason(late, token_of("local")) == "revoked"
    assert reason(founded.hosts[0], token_of("local")) == "ok"
    listed = claimsctl(late, "revocations").stdout.splitlines()
    assert len([line for line in listed if line.endswith("in force")]) == 1
    assert len([line for line in listed if line.endswith("in force in the fleet")]) >= 11


def test_two_hosts_with_one_id_are_reported(founded):
    copy = founded.add(start=False)
    write_identity(copy, identity_file(founded.hosts[0]).read_text())
    copy.start()
    until(lambda: "fleet_host_id_shared" in {**findings(founded.hosts[0]), **findings(copy)}, "the shared id is reported")
    copy.stop()


def test_stored_actions_of_a_fleet_are_never_dropped_silently(founded):
    host = founded.hosts[1]
    host.stop()
    kept = host.tables.pop("fleet")
    refusal(host)
    refusal(host, "--accept-revocations=fleet-00000000")
    host.tables["fleet"] = {**kept, "name": "other", "join": "serve"}
    refusal(host)
    host.tables["fleet"] = {**kept, "fingerprint_key_file": founded.keys.write("other.key", b"k" * 32), "join": "serve"}
    refusal(host)

    host.tables["fleet"] = kept
    host.start()
    assert reason(host, token_of("kept")) == "revoked"
    host.stop()

    del host.tables["fleet"]
    host.start(arguments=[f"--accept-revocations={refusal(host)}"])
    assert reason(host, token_of("kept")) == "ok"
    host.restart()
    assert "revocations of a fleet dropped" in host.log()
    host.stop()


@pytest.mark.parametrize("acl, code", [("allkeys +@all", "fleet_user_excess"), (ACL.replace(" +xadd", ""), "fleet_user_lacks")])
def test_a_user_of_redis_that_may_do_more_or_less_is_reported_with_the_acl_line(fleet, claimsctl, acl, code):
    host = fleet(1, acl).hosts[0]
    found = until(lambda: findings(host).get(code), f"{code} is reported")
    assert f"user claimsd on >PASSWORD {ACL}" in found["hint"]
    assert ACL in claimsctl(host, "doctor", "--config", host.config_file).stdout


def test_a_key_that_other_users_can_read_is_refused(founded, fleet_keys):
    host = founded.add(start=False)
    open_key = fleet_keys.write("open.key", b"o" * 32)
    fleet_keys.root.joinpath("open.key").chmod(0o644)
    host.tables["fleet"]["seal_key_files"] = [open_key]
    with pytest.raises(StartFailed) as failed:
        host.start()
    assert "fleet.seal_key_files: all users of this host can use" in failed.value.printed
    assert "fleet.seal_key_files" in host.check()[1]
