"""Floods of junk tokens, and outages with thousands of hot tokens, against the real daemon.

Short by default. The full load, by hand:
    CLAIMSD_FLOOD_SECONDS=30 CLAIMSD_FLOOD_RATE=50000 CLAIMSD_PARTITION_SECONDS=60 \\
    /usr/bin/python3 -m pytest -s tests/system/test_floods.py

With CLAIMSD_FLOOD_APART=1 the measured client has a core of its own and the flooder runs on the
others at idle priority. The remaining latency is then caused by the daemon and not by kernel
scheduling.

On two shared cores the remaining cost of a flood is kernel scheduling: with 66,000 junk tokens a
second the p99 of a hit rose from 84-118 to 348-456 µs, and to 421-484 µs when the flood went to
another daemon on the same host.
"""

import os
import re
import shutil
import statistics
import time

import pytest

import other_user
from daemon import sanitized
from peer import Peer, until
from servers import free_port
from workers import Worker

FLOOD_SECONDS = int(os.environ.get("CLAIMSD_FLOOD_SECONDS", "3"))
LEAST_RATE = int(os.environ.get("CLAIMSD_FLOOD_RATE", "0"))  # junk per second; a slow build reaches less
PARTITION_SECONDS = int(os.environ.get("CLAIMSD_PARTITION_SECONDS", "6"))
APART = "CLAIMSD_FLOOD_APART" in os.environ
ASKERS_CORE = 0
PATIENCE = 60

FLOODER, VICTIM = other_user.UID, other_user.UID + 1
KNOWN = [f"known-{number}" for number in range(200)]
# Memory that a flood may cost: 10,000 rejections, the buckets, and unread input. Measured: 2 MiB.
MEMORY_CAP_KIB = 16 * 1024

HOT = [f"hot-{number}" for number in range(5000)]
CROWDS = 3
MAX_IN_FLIGHT = 64
MAX_TTL_SECONDS = 5
LATENCY_MS = 10
RECOVERY_SECONDS = 40

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(scope="session", autouse=True)
def cores():
    """Processes started from here on stay off the measured client's core, if it has its own."""
    before = os.sched_getaffinity(0)
    if APART:
        os.sched_setaffinity(0, before - {ASKERS_CORE})
    yield
    os.sched_setaffinity(0, before)


@pytest.fixture(scope="module")
def portable_flood(build, scratch):
    """The program in a place where any user may run it."""
    return shutil.copy(build / "tests" / "system" / "claimsd_flood", scratch())


class Load(Worker):
    """One run of claimsd_flood, as user `uid` if given; `port`: instead of the daemon's socket."""

    def __init__(self, binary, daemon, mode, seconds, tokens=(), uid=None, port=None):
        who = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"] if uid is not None else []
        where = {"hits": ["taskset", "-c", str(ASKERS_CORE)], "junk": ["chrt", "--idle", "0"]}.get(mode, []) if APART else []
        super().__init__(None, port or daemon.socket, mode, seconds, prefix=[*where, *who], binary=binary)
        if tokens:
            self.say("\n".join([*tokens, ""]))
        self.wait_ready()

    def tally(self):
        """Waits for it to end: {what: how often}."""
        out, complaints = self.process.communicate(timeout=FLOOD_SECONDS + PARTITION_SECONDS + PATIENCE)
        assert self.process.returncode == 0, complaints
        return {what: int(times) for what, times in (line.split("\t") for line in out.splitlines())}


def all_valid(peer, tokens):
    """Queries all tokens in batches; stops after a batch with an answer that is not valid."""
    return all(answer.verdict == "valid" for begin in range(0, len(tokens), 200)
               for answer in peer.ask_all(tokens[begin:begin + 200], timeout_ms=30_000))


# ---- floods --------------------------------------------------------------------------------------

BUDGETS = [{"misses_per_uid": 1000, "miss_burst_per_uid": 10_000}, {"misses_per_uid": 50, "miss_burst_per_uid": 100}]


def hits_beside(flooded, daemon, flood):
    """Another user's hits at `daemon` during a flood of `flooded`, which may be another daemon:
    (hits, junk, seconds)."""
    with Load(flood, daemon, "hits", FLOOD_SECONDS, KNOWN, VICTIM) as hits, \
            Load(flood, flooded, "junk", FLOOD_SECONDS, uid=FLOODER) as junk:
        began = time.monotonic()
        junk.go()
        hits.go()
        return hits.tally(), junk.tally(), time.monotonic() - began


@as_root
@pytest.mark.parametrize("budget", BUDGETS, ids=["the_defaults", "a_small_budget"])
def test_a_flood_from_one_uid_costs_another_uid_no_cache_hits(claimsd, faults, portable_flood, build, budget):
    def start():
        return claimsd(faults.url("junk-refused"), limits=budget, cache={"max_ttl": "300s"}, log={"level": "warning"},
                       daemon={"socket_mode": "0666", "allowed_uids": [os.geteuid(), FLOODER, VICTIM]})

    daemon, elsewhere = start(), start()
    with Peer(daemon.socket) as peer:
        # Cache misses of root have the same small limit: query in batches.
        for token in KNOWN:
            until(lambda: peer.ask(token).verdict == "valid", f"{token} is cached")
    with Load(portable_flood, daemon, "hits", 1, KNOWN, VICTIM) as hits:
        hits.go()
        quiet = hits.tally()
    # The cost of sharing the processors with a flood of any other daemon.
    shared, _, _ = hits_beside(elsewhere, daemon, portable_flood)
    elsewhere.stop()
    asked_before, memory_before = faults.count("junk-refused"), daemon.resident_kib()
    mine, theirs, took = hits_beside(daemon, daemon, portable_flood)

    grown = daemon.resident_kib() - memory_before
    asked = faults.count("junk-refused") - asked_before
    rate = theirs["asked"] / FLOOD_SECONDS
    p99 = ", ".join(f"{tally['p99_ns'] / 1000:.0f} us {when} (median {tally['median_ns'] / 1000:.0f})" for when, tally in
                    {"quiet": quiet, "beside a flood of another daemon": shared, "flooded": mine}.items())
    print(f"\n{rate:.0f} junk tokens a second, {asked} of {theirs['asked']} asked upstream; "
          f"hits' p99 {p99}; memory +{grown} KiB")
    assert mine["source cache"] == mine["verdict valid"] == mine["asked"] > 0
    assert "verdict valid" not in theirs
    if theirs["asked"] > 2 * budget["miss_burst_per_uid"]:  # a busy machine or an instrumented build may be too slow
        assert theirs["reason rate_limited"] > 0
    # Queries over the limit are rejected; those within it are answered.
    unknown_burst = 0.75 * budget["miss_burst_per_uid"]
    # Three rejections over old connections are checked over new ones; then rejections are believed for some seconds.
    checks = 3 * (1 + took // 5)
    assert asked <= unknown_burst + budget["misses_per_uid"] * took + 1 + checks
    if budget is BUDGETS[1]:  # the fault server may not be fast enough for more
        assert asked >= unknown_burst + 0.9 * budget["misses_per_uid"] * (FLOOD_SECONDS - 1)
    if not sanitized(build):
        assert grown <= MEMORY_CAP_KIB
    assert rate >= LEAST_RATE


# The aim for the p99 is 1.3 times the p99 beside the same flood of another daemon. It is printed: on cores that other programs use, it
# measures the kernel's scheduler. Without the limits the medians are 20 to 60 times as high.
ROUNDS = 5
MOST_ADDED = 10


def beside(flooded, daemon, flood, kind):
    """p99 of another user's hits at `daemon` during such a flood of `flooded`, and what the flood did."""
    port = str(flooded.metrics_port) if kind == "scrapes" else None
    with Load(flood, daemon, "hits", 1, KNOWN, VICTIM) as hits, Load(flood, flooded, kind, 1, uid=FLOODER, port=port) as other:
        other.go()
        hits.go()
        return hits.tally(), other.tally()


@as_root
@pytest.mark.parametrize("kind, allowed", [("connects", True), ("connects", False), ("scrapes", False)], ids=["admitted", "not_admitted", "scrapes"])
def test_connections_and_scrapes_in_a_loop_delay_no_hit_of_another_uid(claimsd, faults, portable_flood, build, kind, allowed):
    """The same flood of another daemon on the same cores is the measure."""
    if sanitized(build):
        pytest.skip("a build with sanitizers has no system call filter")

    def start():
        port = free_port()
        daemon = claimsd(faults.url("junk-refused"), cache={"max_ttl": "300s"}, log={"level": "warning"},
                         daemon={"socket_mode": "0666", "allowed_uids": [os.geteuid(), VICTIM, *([FLOODER] if allowed else [])],
                                 "metrics_listen": f"127.0.0.1:{port}"})
        daemon.metrics_port = port
        return daemon

    daemon, elsewhere = start(), start()
    with Peer(daemon.socket) as peer:
        for token in KNOWN:
            until(lambda: peer.ask(token).verdict == "valid", f"{token} is cached")
    ratios = []
    for _ in range(ROUNDS):
        shared, _ = beside(elsewhere, daemon, portable_flood, kind)
        mine, theirs = beside(daemon, daemon, portable_flood, kind)
        assert mine["source cache"] == mine["verdict valid"] == mine["asked"] > 0
        ratios.append(mine["median_ns"] / shared["median_ns"])
        print(f"\n{theirs['asked']} {kind}: p99 {mine['p99_ns'] / 1000:.0f} us (median {mine['median_ns'] / 1000:.0f}), beside such a flood of another "
              f"daemon {shared['p99_ns'] / 1000:.0f} (median {shared['median_ns'] / 1000:.0f}): p99 {mine['p99_ns'] / shared['p99_ns']:.2f}, median {ratios[-1]:.2f} times")
    assert statistics.median(ratios) <= MOST_ADDED
    if not allowed and kind == "connects":
        refused = re.search(r"^claimsd_connections_refused_total (\d+)$", daemon.admin("/metrics")[1].decode(), re.MULTILINE)
        assert int(refused[1]) > 1000


# ---- outages -------------------------------------------------------------------------------------


class Outage:
    """An Auth API that can go down and come back. `mode`: its script; `url`: its address."""

    def __init__(self, faults, hangs):
        self._faults = faults
        self._hangs = hangs
        step = {"status": 200, "delay_ms": LATENCY_MS, "gate": True}
        self.mode = faults.script("hot", step)
        self.url = faults.url(self.mode, "http" if hangs else "door")
        faults.open(self.mode)

    def begin(self):
        self._faults.control("POST", "/_close" if self._hangs else "/_door?open=0")

    def end(self):
        self._faults.open(self.mode)
        self._faults.control("POST", "/_door?open=1")

    def seen(self):
        return self._faults.seen(self.mode)

    def forget(self):
        """Resets the counters; the script and its gate stay."""
        self._faults.control("POST", f"/_forget?mode={self.mode}")


@pytest.fixture(params=["it_hangs", "it_refuses_connections"])
def outage(request, faults):
    outage = Outage(faults, hangs=request.param == "it_hangs")
    yield outage
    outage.end()


def ramps(early):
    """True if requests came only as fast as earlier ones were answered. After the first success the
    daemon allows two in flight and one more per answer, so request k finds at most half of k in
    flight."""
    return all(in_flight <= count / 2 + 2 for count, in_flight in enumerate(early, start=1))


def test_after_an_outage_all_hot_tokens_become_valid_again_without_a_thundering_herd(claimsd, outage, build):
    daemon = claimsd({"url": outage.url, "timeout": "1s", "connections": MAX_IN_FLIGHT}, log={"level": "warning"},
                     cache={"max_ttl": f"{MAX_TTL_SECONDS}s"},
                     limits={"max_in_flight": MAX_IN_FLIGHT, "misses_per_uid": 0, "max_backoff": "2s",
                             "max_pending": 6000})
    binary = build / "tests" / "system" / "claimsd_flood"
    hot = HOT[:1000] if sanitized(build) else HOT  # as many as such a build can renew within their TTL
    with Peer(daemon.socket) as peer:
        until(lambda: all_valid(peer, hot), "all tokens are cached")
    longest = PARTITION_SECONDS + 2 * RECOVERY_SECONDS
    crowds = [Load(binary, daemon, "crowd", longest, hot) for _ in range(CROWDS)]
    try:
        for crowd in crowds:
            crowd.go()
        outage.begin()
        most = 0
        end = time.monotonic() + PARTITION_SECONDS
        while time.monotonic() < end:
            status = daemon.status()
            most = max(most, status["requests"]["in_flight"])
            time.sleep(0.05)
        in_outage = outage.seen()
        assert daemon.counter("upstream_failures") > 0 and daemon.counter("backoffs") > 0
        outage.forget()

        outage.end()
        began = time.monotonic()
        with Peer(daemon.socket) as peer:
            until(lambda: all_valid(peer, hot), "all are valid again", RECOVERY_SECONDS)
        recovered = time.monotonic() - began
        for crowd in crowds:
            crowd.say("stop")
        tallies = [crowd.tally() for crowd in crowds]
    finally:
        for crowd in crowds:
            crowd.close()
    after = outage.seen()

    print(f"\nvalid again after {recovered:.1f} s; in flight at most {in_outage['concurrent_max']} before and {most} "
          f"within the outage, {after['concurrent_max']} after it; first {after['early'][:24]}; "
          f"{sum(tally['asked'] for tally in tallies)} questions, {in_outage['count']} + {after['count']} requests")
    for tally in tallies:
        assert "verdict invalid" not in tally, tally
        assert tally["verdict unavailable"] > 0  # the outage had an effect
        assert tally["valid in the last round"] == len(hot)
    assert max(most, in_outage["concurrent_max"], after["concurrent_max"]) <= MAX_IN_FLIGHT
    assert len(after["early"]) > MAX_IN_FLIGHT and ramps(after["early"]), after["early"]
    assert recovered < RECOVERY_SECONDS
