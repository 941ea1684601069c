"""A failing Auth API, several URLs, floods and impatient clients, against the real daemon."""

import time

import wire
from peer import until
from tokens import user_of


def test_a_failing_auth_api_is_not_called_until_a_probe_succeeds(claimsd, peer, faults):
    mode = faults.script("comes-back", {"status": 503}, {"status": 503}, {"status": 503}, {"status": 200})
    asker = peer(claimsd(faults.url(mode)))
    assert [asker.ask(f"token-{number}").reason for number in range(3)] == ["upstream_status"] * 3
    answer = asker.ask("token")
    assert answer.reason == "backoff" and 0 < answer.retry_after_ms <= 1000
    assert faults.count(mode) == 3
    until(lambda: asker.ask("token").verdict == "valid", "the Auth API is probed")
    assert faults.count(mode) == 4


def test_retry_after_is_obeyed(claimsd, peer, faults):
    mode = faults.script("busy", {"status": 503, "headers": {"Retry-After": "60"}})
    asker = peer(claimsd(faults.url(mode)))
    assert asker.ask("a").retry_after_ms == 60_000
    answer = asker.ask("b")
    assert answer.reason == "backoff" and 50_000 < answer.retry_after_ms <= 60_000
    assert faults.count(mode) == 1


def test_claimsctl_retry_ends_the_backoff(claimsd, claimsctl, peer, faults):
    mode = faults.script("recovers", {"status": 503, "headers": {"Retry-After": "60"}}, {"status": 200})
    daemon = claimsd(faults.url(mode))
    asker = peer(daemon)
    assert asker.ask("a").retry_after_ms == 60_000

    def retry(*words):
        return claimsctl(daemon, "retry", *words)

    assert retry("nowhere").returncode == 2 or "no upstream" in retry("nowhere").stderr
    assert asker.ask("b").reason == "backoff"
    done = retry("main")
    assert done.returncode == 0 and done.stdout.startswith("main: the next query makes a request; "), done
    assert asker.ask("a").verdict == "valid"
    assert "main: was not waiting" in retry().stdout
    assert "retry_requested" in daemon.log()


def test_the_next_url_is_used_when_the_first_does_not_answer(claimsd, peer, faults):
    daemon = claimsd({"urls": [faults.url("close"), faults.url("echo")]})
    asker = peer(daemon, faults.url("echo"))
    for number in range(5):
        answer = asker.ask(f"token-{number}")
        assert (answer.verdict, answer.id) == ("valid", user_of(f"token-{number}"))
    assert (faults.count("close"), faults.count("echo")) == (1, 5)
    assert daemon.counter("retries") == 1


def test_a_stale_answer_bridges_an_outage_when_allowed(claimsd, peer, faults):
    mode = faults.script("goes", {"status": 200}, {"status": 503})
    asker = peer(claimsd(faults.url(mode), cache={"max_ttl": "1s", "stale_if_error": "300s"}))
    assert asker.ask("token").verdict == "valid"
    answer = until(lambda: next((it for it in [asker.ask("token")] if it.source != "cache"), None), "its TTL ends")
    assert (answer.verdict, answer.source, answer.ttl_ms) == ("valid", "stale", 0)
    assert answer.age_ms >= 1000


def test_a_flood_of_unknown_tokens_is_rate_limited(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"), limits={"misses_per_uid": 100, "miss_burst_per_uid": 200})
    asker, flooder = peer(daemon), peer(daemon)
    assert asker.ask("known").verdict == "valid"
    began = time.monotonic()
    reasons = [answer.reason for batch in range(50)
               for answer in flooder.ask_all([f"junk-{batch}-{number}" for number in range(200)])]
    took = time.monotonic() - began
    assert reasons.count("rate_limited") == 10_000 - reasons.count("ok")
    assert faults.count("echo") - 1 <= 150 + 100 * took + 1
    assert asker.ask("known").source == "cache"
    assert asker.ask("known", max_age_ms=0).verdict == "valid"  # from the budget reserved for known tokens


def test_many_frames_at_once_are_all_answered_in_order(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    busy, other = peer(daemon), peer(daemon)
    other.ask("token")
    busy.socket.sendall(b"".join(wire.encode("Ping", number, {"echo": number}) for number in range(3000)))
    assert other.ask("token").source == "cache"
    assert [busy.receive()[1] for _ in range(3000)] == list(range(3000))
