"""Claims by name and JSON Pointer, required values, and `claimsctl test-upstream`, with the real daemon."""

import json
import subprocess

import pytest

from servers import TESTS
from tokens import jwt

KEYCLOAK = next(case["document"] for case in json.loads((TESTS / "testdata" / "documents" / "providers.json").read_text())["cases"]
                if case["name"] == "Keycloak: the documented userinfo answer")
MAPPING = {"id_claim": "sub", "role_claims": ["/realm_access/roles", "/resource_access/lumen/roles"]}


@pytest.fixture
def try_upstream(build):
    """try_upstream(daemon, token, option…): the finished process."""
    def run(daemon, token, *options):
        command = [str(build / "client" / "claimsctl" / "claimsctl"), "--admin-socket", str(daemon.admin_socket), "test-upstream", *options]
        return subprocess.run(command, input=token, capture_output=True, text=True, timeout=30)

    return run


def test_a_newcomer_with_keycloak_gets_from_the_defaults_to_valid(claimsd, peer, try_upstream, faults):
    mode = faults.script("keycloak", {"body": KEYCLOAK})
    first = claimsd(faults.url(mode))
    done = try_upstream(first, "token")
    assert done.returncode == 69, done
    assert 'fix: write id_claim = "sub"' in done.stdout
    assert 'fix: write role_claims = ["/realm_access/roles", "/resource_access/lumen/roles", "/resource_access/account/roles"]' in done.stdout
    assert "tess" not in done.stdout.lower()
    first.stop()
    second = claimsd({"url": faults.url(mode), **MAPPING})
    done = try_upstream(second, "token", "main")
    assert (done.returncode, done.stdout.partition(":")[0]) == (0, "valid"), done
    assert "3 roles" in done.stdout and "1 further role" in done.stdout
    answer = peer(second).ask("token")
    assert (answer.verdict, answer.roles) == ("valid", ("offline_access", "rvt", "uma_authorization", "editor"))


def test_a_test_is_neither_cached_nor_counted(claimsd, peer, try_upstream, faults):
    mode = faults.script("once", {"body": KEYCLOAK})
    daemon = claimsd({"url": faults.url(mode), **MAPPING})
    for _ in range(2):
        assert json.loads(try_upstream(daemon, "token", "--json").stdout)["verdict"] == "valid"
    assert faults.count(mode) == 2
    status = daemon.status()
    assert (status["cache"]["entries"], status["upstreams"][0]["requests"]) == (0, 0)
    assert peer(daemon).ask("token").source == "upstream"
    assert try_upstream(daemon, "token").returncode == 0
    assert faults.count(mode) == 4
    assert "upstream_tested" in daemon.log()


def test_test_upstream_names_what_is_wrong_with_the_response(claimsd, try_upstream, faults):
    html = json.loads(try_upstream(claimsd(faults.url("html-200")), "token", "--json").stdout)
    assert (html["reason"], html["content_type"], html["document"]["is_object"]) == ("upstream_body", "text/html", False)
    assert "its content type is text/html" in html["detail"]
    signed = json.loads(try_upstream(claimsd(faults.url("jwt-200")), "token", "--json").stdout)
    assert "application/jwt, which claimsd does not read" in signed["detail"]
    rejected = try_upstream(claimsd(faults.url("401")), "token")
    assert rejected.returncode == 1 and "status 401" in rejected.stdout
    stored = try_upstream(claimsd(faults.url("no-store")), "token")
    assert "forbids caching" in stored.stdout
    unknown = try_upstream(claimsd(faults.url("echo")), "token", "other")
    assert unknown.returncode != 0 and "no upstream with this name" in unknown.stderr


def test_a_required_value_decides(claimsd, peer, faults):
    mode = faults.script("verified", {"body": {"sub": "u", "email_verified": False}}, {"body": {"sub": "u", "email_verified": True}})
    daemon = claimsd({"url": faults.url(mode), "id_claim": "sub", "require": {"/email_verified": True}}, cache={"negative_ttl": "0s"})
    first = peer(daemon).ask("token")
    assert (first.verdict, first.reason) == ("invalid", "claim_mismatch")
    assert peer(daemon).ask("token").verdict == "valid"


def test_a_token_of_another_client_is_not_valid(claimsd, peer, faults):
    daemon = claimsd({"url": faults.url("echo"), "require_token": {"/aud": "lumen"}})
    asker = peer(daemon)
    assert asker.ask(jwt(aud=["account", "lumen"])).verdict == "valid"
    for other in (jwt(aud="other"), jwt(sub="x"), "opaque", jwt(aud="lumen", typ="Refresh")):
        answer = asker.ask(other)
        assert (answer.verdict, answer.reason) == ("invalid", "claim_mismatch")


def test_a_token_with_an_unreadable_exp_is_answered_and_not_cached(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    for token in (jwt(exp="soon"), jwt(exp=None), jwt(iat=True)):
        assert [peer(daemon).ask(token).source for _ in range(2)] == ["upstream"] * 2
    lenient = jwt(exp="9999999999")
    assert [peer(daemon).ask(lenient).source for _ in range(2)] == ["upstream", "cache"]


def test_a_role_claim_that_never_appears_is_a_finding_and_a_metric(claimsd, peer, faults):
    daemon = claimsd({"url": faults.url("echo"), "role_claims": ["role", "/realm_access/roles"]})
    peer(daemon).ask_all([f"token-{number}" for number in range(20)])
    (finding,) = [one for one in daemon.status()["findings"] if one["code"] == "role_claim_missing"]
    assert "/realm_access/roles" in finding["message"] and "test-upstream main" in finding["hint"]
    assert daemon.log().count("role_claim_missing") == 1
    metrics = daemon.admin("/metrics")[1]
    text = metrics.decode() if isinstance(metrics, bytes) else metrics
    assert 'claimsd_upstream_role_claims_total{upstream="main",claim="role"} 20' in text
    assert 'claimsd_upstream_role_claims_total{upstream="main",claim="/realm_access/roles"} 0' in text


def test_an_old_option_name_is_an_error_with_the_new_one(claimsd, faults):
    daemon = claimsd(start=False, **{"upstream.main": {"url": faults.url("echo"), "role_claim": "groups"}})
    code, text = daemon.check()
    assert code != 0 and 'role_claim: renamed; write upstream.main.role_claims = ["groups"]' in text
