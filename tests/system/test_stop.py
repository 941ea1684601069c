"""SIGTERM: queries in flight are answered, then the daemon exits."""

import signal
import time

import pytest

from peer import until


@pytest.fixture
def busy(claimsd, peer, faults):
    """A daemon with one query in flight: (daemon, client)."""

    def make(**options):
        daemon = claimsd(faults.url("gate"), **options)
        asker = peer(daemon)
        asker.query("in-flight")
        faults.wait("gate", in_flight=1)
        return daemon, asker

    return make


def stopping(daemon):
    daemon.signal(signal.SIGTERM)
    assert daemon.wait_notified("STOPPING=1")


def test_sigterm_answers_the_queries_in_flight_and_then_exits(busy, faults):
    daemon, asker = busy()
    stopping(daemon)
    faults.open("gate")
    assert asker.answer()[1].verdict == "valid"
    assert asker.is_closed()
    assert daemon.wait() == 0
    assert not daemon.socket.exists() and not daemon.admin_socket.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_an_idle_daemon_exits_at_once(claimsd, peer, faults, number):
    daemon = claimsd(faults.url("echo"), daemon={"stop_timeout": "60s"})
    assert peer(daemon).ask("token").verdict == "valid"
    began = time.monotonic()
    daemon.signal(number)
    assert daemon.wait() == 0
    assert time.monotonic() - began < 10


def test_a_new_query_while_stopping_is_answered_shutting_down(busy, faults):
    daemon, asker = busy()
    stopping(daemon)
    answer = asker.ask("another-token")
    assert (answer.verdict, answer.reason) == ("unavailable", "shutting_down")
    assert faults.count("gate") == 1
    faults.open("gate")
    assert asker.answer()[1].verdict == "valid"
    assert daemon.wait() == 0


def test_a_cached_token_is_answered_while_stopping(claimsd, peer, faults):
    daemon = claimsd(**{"upstream.main": {"url": faults.url("echo")}, "upstream.slow": {"url": faults.url("gate")}})
    known, slow = peer(daemon, faults.url("echo")), peer(daemon, faults.url("gate"))
    assert known.ask("token").verdict == "valid"
    slow.query("token")
    faults.wait("gate", in_flight=1)
    stopping(daemon)
    assert known.ask("token").source == "cache"
    faults.open("gate")
    assert slow.answer()[1].verdict == "valid"
    assert daemon.wait() == 0


def test_no_new_connection_is_accepted_while_stopping(busy, peer, faults):
    daemon, asker = busy()
    stopping(daemon)
    with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
        peer(daemon)
    faults.open("gate")
    assert asker.answer()[1].verdict == "valid"
    assert daemon.wait() == 0


def test_stop_timeout_ends_an_endless_wait(busy):
    daemon, _ = busy(daemon={"stop_timeout": "300ms"}, **{"upstream.main": {"timeout": "30s"}})
    began = time.monotonic()
    stopping(daemon)
    assert daemon.wait() == 0
    assert 0.25 < time.monotonic() - began < 10
    assert "stop_timeout" in daemon.log()


def test_a_second_sigterm_exits_at_once(busy):
    daemon, _ = busy(daemon={"stop_timeout": "60s"}, **{"upstream.main": {"timeout": "30s"}})
    began = time.monotonic()
    stopping(daemon)
    daemon.signal(signal.SIGTERM)
    assert daemon.wait() == 0
    assert time.monotonic() - began < 10


def test_a_worker_that_queries_during_a_restart_gets_its_answer(claimsd, worker, faults):
    daemon = claimsd(faults.url("gate"))
    asker = worker(daemon, "ask")
    asker.say("token")
    faults.wait("gate", in_flight=1)
    daemon.kill()
    faults.open("gate")
    daemon.start()
    assert asker.read_answer().verdict == "valid"
    until(lambda: faults.count("gate") == 2, "the new daemon repeats the request")


def test_two_daemons_cannot_share_a_cache(claimsd, faults):
    daemon = claimsd(faults.url("echo"))
    same = {"directory": str(daemon.cache), "key_file": str(daemon.key_file)}
    second = claimsd(faults.url("echo"), start=False, cache=same)
    with pytest.raises(Exception, match="claimsd exited with status 1"):
        second.start()
    assert str(daemon.cache) in second.log()
    assert daemon.status()["state"] == "running"
