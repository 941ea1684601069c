"""No lookup that begins after `claimsctl revoke` returned is valid, in 8 processes that only look
up.

CLAIMSD_SPIN_LOOKUPS: the number of lookups after the revocation, over all processes, in each
case.
"""

import os
import time

import pytest

from map_peer import MapPeer
from peer import Peer, until
from spinners import Spinners, run_timed
from tokens import jwt, old_token, user_of

PROCESSES = 8
WANTED = int(os.environ.get("CLAIMSD_SPIN_LOOKUPS", "50000"))
HEARTBEAT_LIMIT_NS = 2_000_000_000
PATIENCE = 60 + WANTED // 1000


@pytest.fixture
def spinners(build):
    made = []

    def make(daemon, tokens):
        made.append(Spinners(build, daemon.root, daemon.socket, PROCESSES, lambda _: tokens))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def revoke(build):
    """Runs `claimsctl revoke`; returns when it began and ended."""
    def run(daemon, *arguments, token=""):
        command = [str(build / "client" / "claimsctl" / "claimsctl"), "--socket", str(daemon.socket),
                   "--admin-socket", str(daemon.admin_socket), "revoke", *arguments]
        code, begin, end = run_timed(command, token)
        assert code == 0
        return begin, end

    return run


def until_hot(spinning):
    spinning.until_each(lambda row: row.local > 1000, "all workers answer from their own tables")


def check_none_is_valid(spinning, returned):
    """`returned`: when claimsctl ended."""
    spinning.set_moment(returned)
    until(lambda: spinning.check_alive() or spinning.sum("after") >= WANTED, "enough lookups", PATIENCE)
    spinning.stop()
    rows = spinning.rows()
    late = [row.last_valid - returned for row in rows if row.last_valid > returned]
    print(f"lookups: {spinning.sum('lookups')}, begun after it: {spinning.sum('after')}, of them valid: "
          f"{spinning.sum('valid_after')}; last valid: {(spinning.last('last_valid') - returned) / 1e6:.3f} ms after it")
    assert late == []
    assert spinning.sum("valid_after") == 0
    assert spinning.sum("wrong") == 0
    assert all(row.invalid > 0 for row in rows)
    assert spinning.sum("unavailable") == 0


CASES = ["token", "user", "all"]


def order(what, token):
    return {"token": ((), token), "user": (("--user", user_of(token)), ""), "all": (("--all", "--yes"), "")}[what]


@pytest.mark.parametrize("what", CASES)
def test_a_revoked_hot_token_is_never_valid_again(claimsd, spinners, revoke, faults, audit_in_memory, what):
    daemon = claimsd(faults.url("echo"), audit=audit_in_memory, cache={"lease": "60s"})
    token = old_token("hot")
    spinning = spinners(daemon, [token]).start()
    until_hot(spinning)
    arguments, given = order(what, token)
    begin, returned = revoke(daemon, *arguments, token=given)
    assert spinning.last("last_valid") > begin - 1_000_000_000  # it was hot until then
    check_none_is_valid(spinning, returned)


@pytest.mark.parametrize("what", CASES)
def test_a_token_revoked_just_after_a_kill_and_restart_is_never_valid_again(claimsd, spinners, revoke, faults, audit_in_memory, what):
    daemon = claimsd(faults.url("echo"), audit=audit_in_memory, cache={"lease": "60s"})
    token = old_token("hot")
    spinning = spinners(daemon, [token]).start()
    until_hot(spinning)
    daemon.kill()
    killed = time.monotonic_ns()
    daemon.start()
    restarted = time.monotonic_ns()
    arguments, given = order(what, token)
    _, returned = revoke(daemon, *arguments, token=given)
    # The dead daemon's map was still trusted: that is why the acknowledgement is delayed.
    assert restarted < spinning.last("last_map_hit") <= killed + HEARTBEAT_LIMIT_NS
    check_none_is_valid(spinning, returned)


def test_revoking_a_user_reaches_a_lease_whose_entry_was_evicted(claimsd, spinners, revoke, faults, audit_in_memory):
    daemon = claimsd(faults.url("echo"), audit=audit_in_memory, cache={"lease": "60s", "max_entries": 100, "map_slots": 16384})
    token, twin = old_token("hot"), old_token("twin")
    with MapPeer(daemon.socket) as peer, Peer(daemon.socket) as others:
        spinning = spinners(daemon, [token]).connect()
        for one in (token, twin):
            assert peer.ask(one).source == "upstream"
            until(lambda: peer.lease(one), "its lease is in the map")
        spinning.go()
        until_hot(spinning)
        assert spinning.sum("socket") == 0  # otherwise the entry counts as used and stays
        others.ask_all([jwt(sub=f"other-{number}") for number in range(300)])
        assert daemon.counter("evictions") >= 200
        spinning.until_each_goes_on("local", 100)
        # Its twin was queried equally often and later, so it would have been evicted after the
        # token.
        assert others.ask(twin).source == "upstream"
        assert peer.lease(token)
        _, returned = revoke(daemon, "--user", user_of(token))
        check_none_is_valid(spinning, returned)
        assert others.ask(twin).verdict == "valid"


def test_revoking_a_user_reaches_a_first_request_in_flight(claimsd, spinners, revoke, faults, audit_in_memory):
    daemon = claimsd(faults.url("gate"), audit=audit_in_memory, cache={"lease": "60s"})
    token = old_token("cold")
    spinning = spinners(daemon, [token]).start()
    until(lambda: daemon.status()["queries"]["waiting"] == PROCESSES, "all workers wait for the request")
    assert faults.count("gate") == 1
    _, returned = revoke(daemon, "--user", user_of(token))
    spinning.set_moment(returned)
    faults.open("gate")
    check_none_is_valid(spinning, returned)
    assert [row.last_valid for row in spinning.rows()] == [0] * PROCESSES
