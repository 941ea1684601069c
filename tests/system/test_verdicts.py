"""A 401 gives invalid, an outage gives unavailable, and a cached answer is used within its TTL and
no longer."""

import time

import pytest

from peer import until
from tokens import jwt, user_of

UNANSWERED = [{"mode": "reset"}, {"mode": "status-503"}, {"mode": "cut-body"}]


def test_a_real_token_of_a_real_auth_api_gives_its_claims(claimsd, worker, auth_api):
    asker = worker(claimsd(auth_api.url), "ask")
    for username, user, role in [("tess", "user-101", "rvt"), ("dana", "user-201", "doctor")]:
        answer = asker.ask(auth_api.login(username))
        assert (answer.verdict, answer.reason, answer.source) == ("valid", "ok", "upstream")
        assert (answer.id, answer.email, answer.roles) == (user, f"{username}@example.com", (role,))


def test_a_logged_out_token_is_invalid_once_its_ttl_is_over(claimsd, worker, auth_api):
    asker = worker(claimsd(auth_api.url, cache={"max_ttl": "1s"}), "ask")
    token = auth_api.login("toni")
    assert asker.ask(token).verdict == "valid"
    auth_api.logout(token)
    assert auth_api.ask("GET", "/api/me/", token=token)[0] == 401
    logged_out = time.monotonic()

    def refused():
        began = time.monotonic()
        answer = asker.ask(token)
        assert answer.verdict == "invalid" or began - logged_out < 1
        return answer.verdict == "invalid"

    until(refused, "the token is rejected")
    assert asker.ask(token).reason == "rejected"


def test_a_query_with_max_age_0_sees_a_logout_at_once(claimsd, worker, auth_api):
    asker = worker(claimsd(auth_api.url), "ask")
    token = auth_api.login("remy")
    assert asker.ask(token).verdict == "valid"
    auth_api.logout(token)
    assert asker.ask(token).verdict == "valid"
    assert asker.ask(token, max_age_ms=0).verdict == "invalid"
    assert asker.ask(token).verdict == "invalid"  # the rejection has purged the cached answer


def test_an_outage_is_never_invalid_and_a_rejection_never_unavailable(claimsd, peer, faults):
    mode = faults.script("trouble", *UNANSWERED, {"status": 401}, {"status": 500})
    asker = peer(claimsd(faults.url(mode), cache={"negative_ttl": "0s"}, limits={"failure_threshold": 100}))
    verdicts = [asker.ask("token").verdict for _ in range(5)]
    assert verdicts == ["unavailable"] * 3 + ["invalid", "unavailable"]


def test_a_cached_answer_survives_an_outage_within_its_ttl_and_no_longer(claimsd, peer, faults):
    mode = faults.script("outage", {"status": 200}, {"status": 503})
    asker = peer(claimsd(faults.url(mode), cache={"max_ttl": "2s"}))
    assert asker.ask("known").verdict == "valid"
    confirmed = time.monotonic()
    assert asker.ask("unknown").verdict == "unavailable"
    known = asker.ask("known")
    assert (known.verdict, known.source) == ("valid", "cache")

    def over():
        began = time.monotonic()
        answer = asker.ask("known")
        assert answer.verdict == "unavailable" or began - confirmed < 2
        return answer.verdict == "unavailable"

    until(over, "its TTL ends")
    assert asker.ask("known").reason in ("upstream_status", "backoff")


def test_a_failed_refresh_with_max_age_0_does_not_discard_the_cached_answer(claimsd, peer, faults):
    mode = faults.script("fresher", {"status": 200}, {"status": 503})
    asker = peer(claimsd(faults.url(mode)))
    assert asker.ask("token").verdict == "valid"
    assert asker.ask("token", max_age_ms=0).verdict == "unavailable"
    assert asker.ask("token").verdict == "valid"


def test_a_cached_token_is_invalid_once_its_exp_has_passed(claimsd, peer, faults):
    asker = peer(claimsd(faults.url("echo"), cache={"clock_skew": "0s"}))
    expires = time.time() + 2.5
    token = jwt(sub="user-1", exp=expires)
    first = asker.ask(token)
    assert first.verdict == "valid" and first.ttl_ms <= 2500

    def expired():
        began = time.time()
        answer = asker.ask(token)
        assert answer.verdict == "invalid" or began < expires
        return answer.verdict == "invalid"

    until(expired, "the token expires")
    assert asker.ask(token).reason == "expired"
    assert faults.count("echo") == 1


def test_a_rejection_is_cached_and_then_verified_again(claimsd, peer, faults):
    mode = faults.script("rejection", {"status": 401}, {"status": 200})
    asker = peer(claimsd(faults.url(mode), cache={"negative_ttl": "2s"}))
    assert asker.ask("token").verdict == "invalid"
    again = asker.ask("token")
    assert (again.verdict, again.source) == ("invalid", "cache")
    assert faults.count(mode) == 1
    until(lambda: asker.ask("token").verdict == "valid", "the negative entry has expired")


def test_a_403_is_a_rejection_only_if_configured(claimsd, peer, faults):
    url = faults.url("status-403")
    assert peer(claimsd(url)).ask("token").verdict == "unavailable"
    assert peer(claimsd({"url": url, "rejection_statuses": [403]})).ask("token").verdict == "invalid"


def test_each_upstream_has_its_own_answers(claimsd, peer, faults):
    tables = {"upstream.good": {"url": faults.url("echo"), "default": True}, "upstream.bad": {"url": faults.url("401")}}
    daemon = claimsd(**tables)
    for _ in range(2):
        assert peer(daemon, faults.url("echo")).ask("token").id == user_of("token")
        assert peer(daemon, faults.url("401")).ask("token").verdict == "invalid"
        assert peer(daemon).ask("token").verdict == "valid"
    assert (faults.count("echo"), faults.count("401")) == (1, 1)


def test_claims_may_have_other_names(claimsd, peer, faults):
    body = {"sub": "user-1", "mail": "user@example.com", "groups": ["rvt", "admin"], "id": 7}
    mode = faults.script("names", {"body": body})
    names = {"id_claim": "sub", "email_claim": "mail", "role_claims": ["groups"]}
    answer = peer(claimsd({"url": faults.url(mode), **names})).ask("token")
    assert (answer.id, answer.email, answer.roles) == ("user-1", "user@example.com", ("rvt", "admin"))


@pytest.mark.parametrize("mode", ["no-store", "no-cache", "max-age-0"])
def test_an_answer_that_must_not_be_cached_is_requested_again(claimsd, peer, faults, mode):
    daemon = claimsd(faults.url(mode))
    asker = peer(daemon)
    assert [asker.ask("token").source for _ in range(2)] == ["upstream"] * 2
    assert faults.count(mode) == 2
    assert daemon.status()["cache"]["entries"] == 0
