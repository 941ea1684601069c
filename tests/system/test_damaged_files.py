"""A daemon whose files are damaged, or whose configuration is wrong: it names the file and the fix,
and while it cannot start, workers get a fast answer although systemd holds the socket."""

import time

import pytest

from daemon import StartFailed
from held_sockets import FAST, HeldSockets, asked

PAGE = 4096


def with_revocations(claimsd, faults):
    """A stopped daemon with revocations on disk."""
    daemon = claimsd(faults.url("echo"))
    for number in range(20):
        assert daemon.admin("/v1/revoke", {"token": f"revoked-{number}"})[0] == 200
    daemon.stop()
    return daemon


def damage(path):
    """Breaks the header of every page that is in use, except the two headers of the file."""
    data = bytearray(path.read_bytes())
    for page in range(2 * PAGE, len(data), PAGE):
        if any(data[page:page + 16]):
            data[page + 12] ^= 0xFF
    path.write_bytes(data)


def damaged_revocations(daemon):
    (path,) = (daemon.root / "revocations").glob("*.mdb")
    damage(path)
    return path


def test_damaged_revocations_are_named_with_the_fix(claimsd, faults):
    daemon = with_revocations(claimsd, faults)
    path = damaged_revocations(daemon)
    with pytest.raises(StartFailed) as failed:
        daemon.start()
    assert failed.value.code == 1  # not a signal
    assert str(path) in failed.value.printed and "restore" in failed.value.printed


def test_a_damaged_cache_is_discarded(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    peer(daemon).ask_all([f"token-{number}" for number in range(200)])
    daemon.stop()
    (path,) = daemon.cache.glob("*.mdb")
    damage(path)
    daemon.start()
    assert "starts empty: its file is damaged" in daemon.log()
    assert peer(daemon).ask("token-1").source == "upstream"


def test_while_the_daemon_cannot_start_a_query_gets_no_daemon_at_once(claimsd, worker, faults):
    daemon = with_revocations(claimsd, faults)
    path = damaged_revocations(daemon)
    with HeldSockets(daemon) as held:
        began = time.monotonic()
        held.start()
        for _ in range(3):
            answer, took = asked(worker, daemon)
            assert (answer.verdict, answer.reason) == ("unavailable", "no_daemon")
            assert took < FAST
        status, body = daemon.admin("/v1/status")
        assert status == 503 and str(path).encode() in body
        assert held.process.wait(30) == 1
        # systemd restarts it no more often than this.
        assert time.monotonic() - began > 4


def test_with_a_wrong_configuration_a_query_gets_no_daemon_at_once(claimsd, worker, faults):
    daemon = claimsd(faults.url("echo"), start=False, daemon={"nonsense": 1})
    with HeldSockets(daemon) as held:
        held.start()
        answer, took = asked(worker, daemon)
        assert answer.reason == "no_daemon" and took < FAST
        assert held.process.wait(30) == 78
    assert "nonsense" in daemon.log()


def test_the_next_daemon_takes_the_held_sockets_over(claimsd, worker, faults):
    daemon = with_revocations(claimsd, faults)
    (path,) = (daemon.root / "revocations").glob("*.mdb")
    backup = path.read_bytes()
    damage(path)
    with HeldSockets(daemon) as held:
        held.start()
        assert held.process.wait(30) == 1
        path.write_bytes(backup)
        held.start()
        answer, _ = asked(worker, daemon)
        assert answer.verdict == "valid"


def test_after_crashes_at_the_start_the_next_start_waits_and_answers_meanwhile(claimsd, worker, faults):
    daemon = claimsd(faults.url("echo"), start=False)
    with HeldSockets(daemon) as held:
        began = time.monotonic()
        held.start(crashes=3)
        answer, took = asked(worker, daemon)
        assert answer.reason == "no_daemon" and took < FAST
        while asked(worker, daemon)[0].verdict != "valid":
            assert time.monotonic() - began < 30
            time.sleep(0.2)
        assert time.monotonic() - began > 4
