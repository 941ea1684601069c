"""Connections to the Auth API that fail although it works: lookups are valid again within two
timeouts."""

import time

import pytest

TIMEOUT = 1.0
OPTIONS = {"timeout": "1s", "connect_timeout": "500ms"}


@pytest.mark.parametrize("pool", [1, 8, 40])
def test_a_frozen_pool(claimsd, peer, faults, pool):
    asker = peer(claimsd({"url": faults.url("old-silent"), **OPTIONS}))
    first = asker.ask_all([f"a.first{number}.b" for number in range(pool)])
    assert {answer.verdict for answer in first} == {"valid"}
    faults.control("POST", "/_deploy")
    began = time.monotonic()
    while asker.ask(f"a.then{time.monotonic_ns()}.b").verdict != "valid":
        assert time.monotonic() - began < 2 * TIMEOUT
    assert time.monotonic() - began < 2 * TIMEOUT


def test_an_old_instance_that_answers_503(claimsd, peer, faults):
    asker = peer(claimsd({"url": faults.url("old-503"), **OPTIONS}))
    assert asker.ask("a.first.b").verdict == "valid"
    faults.control("POST", "/_deploy")
    assert asker.ask("a.second.b").verdict == "valid"


@pytest.mark.parametrize("pool, at_once", [(1, 1), (40, 100)])
def test_401s_from_an_outdated_instance_invalidate_none_of_1000_good_tokens(claimsd, peer, faults, pool, at_once):
    daemon = claimsd({"url": faults.url("old-401"), **OPTIONS})
    asker = peer(daemon)
    assert {answer.verdict for answer in asker.ask_all([f"a.first{number}.b" for number in range(pool)])} == {"valid"}
    faults.control("POST", "/_deploy")
    time.sleep(5.1)  # RejectionCheck::kOldConnection: younger connections are believed
    for begin in range(0, 1000, at_once):
        answers = asker.ask_all([f"a.good{number}.b" for number in range(begin, begin + at_once)])
        assert {answer.verdict for answer in answers} == {"valid"}
    assert "upstream_disagrees" in daemon.log_file.read_text()


@pytest.mark.parametrize("mode", ["status-403", "status-404", "redirect-302", "html-200"])
def test_a_token_without_a_verdict_is_asked_about_at_most_five_times_in_three_seconds(claimsd, peer, faults, mode):
    faults.control("POST", f"/_forget?mode={mode}")
    asker = peer(claimsd(faults.url(mode)))
    began = time.monotonic()
    for number in range(200):
        if time.monotonic() - began >= 3:
            break  # a busy machine
        assert asker.ask("a.token.b").verdict == "unavailable"
        time.sleep(max(0.0, began + 3 * number / 200 - time.monotonic()))
    assert faults.count(mode) <= 5


def test_an_auth_api_that_forbids_caching_is_reported(claimsd, peer, faults):
    daemon = claimsd(faults.url("no-store"))
    asker = peer(daemon)
    for _ in range(3):
        assert asker.ask("a.token.b").source == "upstream"
    status = daemon.status()
    assert status["upstreams"][0]["forbids_caching"] is True
    assert "caching_forbidden" in [finding["code"] for finding in status["findings"]]
    assert "caching_forbidden" in daemon.log_file.read_text()


def test_no_store_ttl_keeps_such_answers(claimsd, peer, faults):
    daemon = claimsd({"url": faults.url("no-store"), "no_store_ttl": "30s"})
    asker = peer(daemon)
    assert asker.ask("a.token.b").source == "upstream"
    again = asker.ask("a.token.b")
    assert (again.source, again.ttl_ms <= 30_000) == ("cache", True)
    assert daemon.status()["upstreams"][0]["forbids_caching"] is False


def test_a_missing_client_certificate_has_its_own_reason(claimsd, peer, faults):
    daemon = claimsd({"url": faults.url("ok", "https_client_cert"), "ca_file": str(faults.tls / "ca.pem")},
                     limits={"failure_threshold": 1000})
    asker = peer(daemon)
    assert {asker.ask(f"a.t{number}.b").reason for number in range(20)} == {"upstream_certificate"}
    assert "certificate_wanted" in [finding["code"] for finding in daemon.status()["findings"]]
