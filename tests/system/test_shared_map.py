"""The lease map that a worker gets from the real daemon: handed over, alive, correct, and
withdrawn."""

import fcntl
import itertools
import json
import os
import signal
import struct
import time

import pytest

import other_user
import wire
from map_peer import SHARED_MAP, MapPeer
from peer import Peer, until
from shm import HEARTBEAT_LIMIT, NO_HARD_END, derive, identity
from tokens import jwt, user_of

F_GET_SEALS = 1034  # <linux/fcntl.h>
SHRINK_GROW_FUTURE_WRITE_SEAL = 0x2 | 0x4 | 0x10 | 0x1
SEAL_EXEC = 0x20  # newer kernels set it as well
NOT_ALLOWED = 6

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture
def map_peer():
    made = []

    def make(daemon, **options):
        made.append(MapPeer(daemon.socket, **options))
        return made[-1]

    yield make
    for peer in made:
        peer.close()


def tokens(count):
    return [jwt(sub=f"canary-subject-{number}") for number in range(count)]


def user_in(lease):
    return wire.decode_claims(lease[1])[0].decode()


def boot_id():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return bytes.fromhex(file.read().strip().replace("-", ""))


def test_welcome_brings_a_read_only_sealed_map(claimsd, map_peer, faults):
    daemon = claimsd(faults.url("echo"), cache={"map_slots": 1024})
    peer = map_peer(daemon)
    assert peer.welcome["features"] == SHARED_MAP
    assert len(peer.descriptors) == 1
    assert fcntl.fcntl(peer.descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
    assert fcntl.fcntl(peer.descriptor, F_GET_SEALS) & ~SEAL_EXEC == SHRINK_GROW_FUTURE_WRITE_SEAL
    assert os.fstat(peer.descriptor).st_mode & 0o777 == 0o400
    assert (peer.map.slot_count, peer.map.boot_id) == (1024, boot_id())
    assert peer.map.is_believed()
    assert peer.map.used() == 0
    # All clients get the same map.
    assert identity(map_peer(daemon).descriptor) == identity(peer.descriptor)


def test_the_heartbeat_advances_and_stops_with_the_daemon(claimsd, map_peer, faults):
    daemon = claimsd(faults.url("echo"))
    peer = map_peer(daemon)
    beat = peer.map.heartbeat()
    until(lambda: peer.map.heartbeat() > beat, "the heartbeat moves", 5)
    daemon.signal(signal.SIGSTOP)
    until(lambda: not peer.map.is_believed(), "the map of a hung daemon is no longer trusted", 5)
    daemon.signal(signal.SIGCONT)
    until(peer.map.is_believed, "it is trusted again after the daemon continues", 5)


def test_a_valid_answer_publishes_a_lease_and_a_rejection_removes_it(claimsd, map_peer, auth_api):
    daemon = claimsd(auth_api.url)
    peer = map_peer(daemon)
    token = auth_api.login("tess")
    assert peer.lease(token) is None
    answer = peer.ask(token)
    assert answer.verdict == "valid"
    slot, claims = until(lambda: peer.lease(token), "its lease is in the map")
    user, email, roles, raw = wire.decode_claims(claims)
    assert (user.decode(), email.decode(), raw) == (answer.id, answer.email, answer.raw)
    assert tuple(role.decode() for role in roles) == answer.roles
    assert slot.hard_end != NO_HARD_END  # simplejwt's tokens expire
    assert 0 < slot.lease_end - slot.confirmed_at <= 6_000_000_000
    assert slot.upstream == peer.welcome["upstream_id"]
    auth_api.logout(token)
    assert peer.ask(token, max_age_ms=0).verdict == "invalid"
    assert peer.lease(token) is None  # removed before the answer was sent
    index, _ = derive(peer.map.map_id, peer.welcome["upstream_id"], token.encode())
    assert index not in peer.map.bytes()


def test_a_lease_ends_as_configured_and_a_query_renews_it(claimsd, map_peer, faults):
    daemon = claimsd(faults.url("echo"), cache={"lease": "1s"})
    peer = map_peer(daemon)
    (token,) = tokens(1)
    assert peer.ask(token).verdict == "valid"
    first, _ = until(lambda: peer.lease(token), "its lease is in the map")
    assert first.lease_end - first.confirmed_at < 2_000_000_000
    until(lambda: peer.lease(token) is None, "the lease ends", 5)
    assert peer.ask(token).source == "cache"
    second, claims = until(lambda: peer.lease(token), "the query renewed it")
    assert second.sequence > first.sequence
    assert second.confirmed_at == first.confirmed_at
    assert wire.decode_claims(claims)[0].decode() == user_of(token)
    assert faults.count("echo") == 1


@pytest.mark.parametrize("features, options", [(0, {}), (SHARED_MAP, {"shared_memory": False})])
def test_without_the_feature_there_is_no_map_and_no_lease(claimsd, map_peer, faults, features, options):
    daemon = claimsd(faults.url("echo"), daemon=options)
    peer = map_peer(daemon, features=features)
    assert peer.welcome["features"] == 0
    assert peer.descriptors == []
    assert peer.ask(tokens(1)[0]).verdict == "valid"
    assert peer.ask(tokens(1)[0]).source == "cache"
    assert daemon.counter("leases_published") == 0


def descriptors_of_a_stranger(path):
    """What a client gets that sends Hello like a worker, even if it was rejected: (descriptors,
    bytes)."""
    with Peer(path, hello=False) as peer:
        try:
            peer.send("Hello", version_min=wire.VERSION, version_max=wire.VERSION, features=SHARED_MAP)
        except OSError:  # hung up already
            pass
        got, data = [], b""
        while True:
            try:
                more, descriptors = wire.receive_with_descriptors(peer.socket)
            except ConnectionResetError:
                break
            got += descriptors
            data += more
            if not more:
                break
        return got, data


@as_root
def test_only_admitted_clients_get_the_map(claimsd, faults):
    daemon = claimsd(faults.url("echo"), daemon={"socket_mode": "0666", "allowed_uids": [other_user.UID + 1]})
    descriptors, data = other_user.call(lambda: descriptors_of_a_stranger(daemon.socket))
    assert descriptors == []
    name, _, fields = wire.decode(data)
    assert (name, fields["code"]) == ("Failure", NOT_ALLOWED)


@as_root
def test_another_user_can_map_the_received_descriptor_but_not_reopen_it(claimsd, faults):
    daemon = claimsd(faults.url("echo"), daemon={"socket_mode": "0666"})

    def tries():
        peer = MapPeer(daemon.socket)
        outcome = [peer.map.is_believed()]
        for flags in (os.O_RDONLY, os.O_RDWR):
            try:
                os.close(os.open(f"/proc/self/fd/{peer.descriptor}", flags))
                outcome.append("opened")
            except PermissionError:
                outcome.append("rejected")
        peer.close()
        return outcome

    assert other_user.call(tries) == [True, "rejected", "rejected"]


def test_a_rejected_hello_brings_no_map(claimsd, faults):
    daemon = claimsd(faults.url("echo"))
    with Peer(daemon.socket, hello=False) as peer:
        peer.send("Hello", version_min=wire.VERSION, version_max=wire.VERSION, features=SHARED_MAP, upstream_url=b"https://evil.example.com")
        data, descriptors = wire.receive_with_descriptors(peer.socket)
        assert descriptors == []
        assert wire.decode(data)[0] == "Failure"


def test_a_clean_stop_marks_the_map_dead_and_the_next_start_makes_a_new_one(claimsd, map_peer, faults):
    daemon = claimsd(faults.url("echo"))
    peer = map_peer(daemon)
    first = identity(peer.descriptor), peer.map.map_id
    assert (daemon.cache / "map-in-use").exists()
    daemon.stop()
    assert peer.map.heartbeat() == 0
    assert not (daemon.cache / "map-in-use").exists()
    daemon.start()
    again = map_peer(daemon)
    assert identity(again.descriptor) != first[0]
    assert again.map.map_id != first[1]
    assert "unclean_stop" not in daemon.log()


def test_after_a_crash_the_next_daemon_notices_and_the_old_map_expires(claimsd, map_peer, faults):
    daemon = claimsd(faults.url("echo"))
    peer = map_peer(daemon)
    (token,) = tokens(1)
    peer.ask(token)
    until(lambda: peer.lease(token), "its lease is in the map")
    daemon.kill()
    assert peer.map.heartbeat() != 0
    daemon.start()
    started = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    assert "unclean_stop" in daemon.log()
    assert (daemon.cache / "map-in-use").exists()
    until(lambda: not peer.map.is_believed(), "the old map is not trusted", 5)
    # Stop cleanly after the old map has expired for certain: the marker is then removed.
    until(lambda: time.clock_gettime_ns(time.CLOCK_BOOTTIME) > started + HEARTBEAT_LIMIT, "the old map has expired", 5)
    daemon.stop()
    assert not (daemon.cache / "map-in-use").exists()


def test_a_clean_stop_soon_after_a_crash_does_not_hide_the_crash(claimsd, faults):
    daemon = claimsd(faults.url("echo"))
    daemon.kill()
    daemon.start()
    daemon.stop()  # within 2 s of the crash: the old map may still be trusted
    log = daemon.log()
    daemon.start()
    assert daemon.log()[len(log):].count("unclean_stop") == 1


def test_without_memory_for_the_map_the_daemon_runs_without_it(claimsd, map_peer, faults):
    daemon = claimsd(faults.url("echo"), start=False, cache={"map_slots": 131072, "max_bytes": "16MiB"})
    daemon.start(prefix=["prlimit", "--fsize=100000000", "env", "--ignore-signal=XFSZ"])
    assert "shared_memory_off" in daemon.log() and "cache.map_slots" in daemon.log()
    peer = map_peer(daemon)
    assert peer.welcome["features"] == 0
    assert peer.ask(tokens(1)[0]).verdict == "valid"
    assert daemon.status()["leases"]["slots"] == 0


def test_the_status_counts_leases(claimsd, map_peer, faults):
    daemon = claimsd(faults.url("echo"), cache={"map_slots": 64})
    peer = map_peer(daemon)
    assert len(peer.ask_all(tokens(200))) == 200
    status = daemon.status()
    shown = peer.map.used()
    assert status["leases"] == {"slots": 64, "used": shown, "epoch": 0}
    assert status["counters"]["leases_published"] == 200
    assert status["counters"]["lease_collisions"] == 200 - shown
    peer.ask("short-token")
    assert daemon.counter("leases_declined_short") == 1
    metrics = daemon.admin("/metrics")[1].decode()
    assert "\nclaimsd_lease_slots 64\n" in metrics
    assert "\nclaimsd_leases_published_total 200\n" in metrics


def test_claims_too_large_for_a_slot_are_answered_over_the_socket(claimsd, map_peer, faults):
    mode = faults.script("large", {"body": {"id": "user-1", "email": "a@example.com", "role": "r", "note": "n" * 1000}})
    daemon = claimsd(faults.url(mode))
    peer = map_peer(daemon)
    for source in ("upstream", "cache"):
        answer = peer.ask(tokens(1)[0])
        assert (answer.verdict, answer.source) == ("valid", source)
    assert peer.map.used() == 0
    assert daemon.counter("leases_declined_large") >= 1


def test_the_map_contains_no_plaintext_of_its_users(claimsd, map_peer, faults):
    claims = {"id": "canary-id-4711", "email": "canary.mail@example.com", "role": ["canary-role"], "note": "canary-claim"}
    daemon = claimsd(faults.url(faults.script("canary", {"body": claims})))
    peer = map_peer(daemon)
    asked = tokens(300)
    peer.ask_all(asked)
    until(lambda: peer.map.used() > 290, "the leases are in the map")
    assert user_in(peer.lease(asked[-1])) == claims["id"]
    image = peer.map.bytes()
    assert b"canary" not in image and b"example.com" not in image
    assert json.dumps(claims).encode()[:20] not in image
    for token in asked:
        for part in token.split("."):
            assert part.encode() not in image
    assert struct.pack("<Q", 0x31504D41_444D4C43) not in image[8:]  # one header, and nothing like it


def test_a_map_with_a_thousand_users_contains_no_plaintext_of_them(claimsd, map_peer, faults):
    users = 1000
    steps = [{"body": {"id": f"canary-id-{number}", "email": f"canary.{number}@example.com", "note": "canary-claim",
                       "role": ["canary-role"]}} for number in range(users)]
    daemon = claimsd(faults.url(faults.script("canary", *steps)), cache={"lease": "60s", "map_slots": 65536})
    asked = [jwt(sub=f"canary-subject-{number}") for number in range(users)]
    peer = map_peer(daemon)
    assert len({answer.id for answer in peer.ask_all(asked)}) == users
    until(lambda: peer.map.used() == users, "all of them are published")
    image = peer.map.bytes()
    header, payload = os.path.commonprefix(asked).split(".")  # how each token begins
    for needle in ("canary", "example.com", '"email"', '"role"', header, payload[:20], payload[-20:], asked[0][-12:]):
        assert needle.encode() not in image


def test_a_slot_opens_only_with_its_own_token_and_upstream(claimsd, map_peer, faults):
    daemon = claimsd(faults.url("echo"))
    peer = map_peer(daemon)
    (token,) = tokens(1)
    peer.ask(token)
    slot, claims = until(lambda: peer.lease(token), "its lease is in the map")
    assert claims not in slot.data and claims[2:10] not in slot.data
    # The wrong upstream, or a token that differs in its last character, opens nothing.
    assert peer.map.find(token, upstream=1) is None
    assert peer.map.find(token[:-1] + "m") is None


def test_workers_report_what_they_answered_themselves(claimsd, worker, faults):
    daemon = claimsd(faults.url("echo"))
    asking = worker(daemon, "ask")
    first, others = jwt(sub="first"), (jwt(sub=f"other-{number}") for number in itertools.count())
    assert asking.ask(first).verdict == "valid"
    for _ in range(50):
        assert asking.ask(first).verdict == "valid"

    def reported():
        asking.ask(next(others))  # at most once a second a query brings the count
        return json.loads(daemon.admin("/v1/status")[1])["counters"]["worker_hits"]

    hits = until(reported, "a query brings the count")
    assert hits == 50
    status = json.loads(daemon.admin("/v1/status")[1])
    assert status["cache"]["hit_ratio"] == pytest.approx(hits / (hits + status["counters"]["queries"]))
