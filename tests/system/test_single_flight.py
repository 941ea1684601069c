"""Any number of concurrent queries for a token cause one request to the Auth API."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from peer import until
from tokens import user_of

PROCESSES = 64
QUESTIONS = 1000


def shares(questions, processes):
    """`questions` split as evenly as possible."""
    return [questions // processes + (i < questions % processes) for i in range(processes)]


def ask_together(worker, daemon, token, counts):
    workers = [worker(daemon, "burst", count) for count in counts]
    for process in workers:
        process.prepare(token)
    for process in workers:
        process.wait_ready()
        process.go()
    return workers


def waiting(daemon, count):
    until(lambda: daemon.status()["questions"]["waiting"] == count, f"{count} queries wait")


def test_1000_queries_from_64_processes_for_one_cold_token_cause_one_upstream_request(claimsd, worker, faults):
    daemon = claimsd(faults.url("gate"))
    workers = ask_together(worker, daemon, "cold-token", shares(QUESTIONS, PROCESSES))
    waiting(daemon, QUESTIONS)
    faults.open("gate")
    results = [process.result() for process in workers]
    assert {first.id for first, _ in results} == {user_of("cold-token")}
    assert sum(tally["valid"] for _, tally in results) == QUESTIONS
    assert faults.count("gate") == 1
    assert daemon.counter("upstream_requests") == 1


def test_killing_the_first_querier_leaves_999_answers_and_one_request(claimsd, worker, faults):
    daemon = claimsd(faults.url("gate"))
    (first,) = ask_together(worker, daemon, "cold-token", [1])
    faults.wait("gate", in_flight=1)
    others = ask_together(worker, daemon, "cold-token", shares(QUESTIONS - 1, PROCESSES - 1))
    waiting(daemon, QUESTIONS)
    first.process.kill()
    waiting(daemon, QUESTIONS - 1)
    faults.open("gate")
    tallies = [process.result()[1] for process in others]
    assert sum(tally["valid"] for tally in tallies) == QUESTIONS - 1
    assert faults.count("gate") == 1


@pytest.mark.parametrize("mode, verdict, reason", [
    ("401", "invalid", "refused"), ("status-503", "unavailable", "upstream_status")])
def test_all_waiting_queries_get_a_failure(claimsd, worker, faults, mode, verdict, reason):
    late = faults.script("late", {"gate": True, "mode": mode})
    daemon = claimsd(faults.url(late))
    workers = ask_together(worker, daemon, "cold-token", [25] * 4)
    waiting(daemon, 100)
    faults.open(late)
    tallies = [process.result()[1] for process in workers]
    assert sum(tally[verdict] for tally in tallies) == 100
    assert sum(tally[f"reason {reason}"] for tally in tallies) == 100
    assert faults.count(late) == 1


def test_queries_with_max_age_0_share_one_new_request_after_the_one_in_flight(claimsd, peer, faults):
    daemon = claimsd(faults.url("gate"))
    early, late = peer(daemon), peer(daemon)
    early.query("token")
    faults.wait("gate", in_flight=1)
    for _ in range(50):
        late.query("token", max_age_ms=0)
    waiting(daemon, 51)
    faults.open("gate")
    assert early.answer()[1].verdict == "valid"
    assert {late.answer()[1].verdict for _ in range(50)} == {"valid"}
    assert faults.count("gate") == 2


def test_an_unanswered_query_ends_at_its_own_deadline(claimsd, peer, faults):
    daemon = claimsd(faults.url("gate"))
    patient, hasty = peer(daemon), peer(daemon)
    patient.query("token", timeout_ms=20000)
    answer = hasty.ask("token", timeout_ms=100)
    assert (answer.verdict, answer.reason) == ("unavailable", "deadline")
    faults.open("gate")
    assert patient.answer()[1].verdict == "valid"
    assert faults.count("gate") == 1


def test_every_query_gets_the_claims_of_its_own_token(claimsd, worker, faults):
    """2,000 users; 8 processes each query all of them in a different order."""
    daemon = claimsd(faults.url("echo"))
    tokens = [f"token-of-user-{number}" for number in range(2000)]
    workers = [worker(daemon, "ask") for _ in range(8)]
    orders = [random.Random(seed).sample(tokens, len(tokens)) for seed in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda pair: pair[0].ask_all(pair[1]), zip(workers, orders)))
    for order, given in zip(orders, answers):
        assert [answer.id for answer in given] == [user_of(token) for token in order]
        assert [answer.email for answer in given] == [user_of(token) + "@example.com" for token in order]
    assert faults.count("echo") == len(tokens)
