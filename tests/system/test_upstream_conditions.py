"""Conditions of an Auth API that an operator must change: each is in `claimsctl status` and in the doctor's findings with the
fix, in a metric, and in the log."""

import json
import re
from typing import NamedTuple

import pytest

from daemon import toml

DOCUMENT = {"id": "user-1", "email": "one@example.com", "role": "rvt"}


class Condition(NamedTuple):
    event: str  # of the log; also the code of the finding
    level: str
    metric: str
    fix: str  # an option or command that the fix names
    queries: int = 1


CONDITIONS = {
    "caching": Condition("caching_forbidden", "warning", 'claimsd_upstream_uncacheable_total{upstream="main"}', "no_store_ttl", 3),
    "roles": Condition("role_claim_missing", "warning", 'claimsd_upstream_role_claims_total{upstream="main",claim="/groups"}',
                       "test-upstream main", 20),
    "unusable": Condition("documents_unusable", "warning", 'claimsd_upstream_failures_by_reason_total{upstream="main",reason="upstream_body"}',
                          "test-upstream main"),
    "truncated": Condition("claims_truncated", "warning", 'claimsd_upstream_truncated_documents_total{upstream="main"}',
                           "upstream.main.max_claims_bytes"),
    "credentials": Condition("upstream_credentials", "error",
                             'claimsd_upstream_failures_by_reason_total{upstream="main",reason="upstream_credentials"}', "client_secret_file"),
    "certificate": Condition("certificate_wanted", "error",
                             'claimsd_upstream_failures_by_reason_total{upstream="main",reason="upstream_certificate"}', "client_certificate"),
}
STAYS_ZERO = {"roles"}
LOGGED_AS = {"unusable": "upstream_failed"}


@pytest.fixture
def upstream(faults, tmp_path):
    """The options of an upstream in that condition."""

    def make(name):
        if name == "caching":
            return {"url": faults.url("no-store")}
        if name == "roles":
            return {"url": faults.url("echo"), "role_claims": ["role", "/groups"]}
        if name == "unusable":
            many = [f"group-{number}" for number in range(257)]
            return {"url": faults.url(faults.script("many", {"body": {**DOCUMENT, "role": many}}))}
        if name == "truncated":
            return {"url": faults.url(faults.script("large", {"body": {**DOCUMENT, "note": "n" * 5000}})), "max_claims_bytes": "4KiB"}
        if name == "credentials":
            secret = tmp_path / "secret"
            secret.write_text("wrong\n")
            return {"url": faults.url("introspection-basic"), "path": "/api/me/", "kind": "introspection", "client_id": "lumen",
                    "client_secret_file": str(secret)}
        return {"url": faults.url("ok", "https_client_cert"), "ca_file": str(faults.tls / "ca.pem")}

    return make


@pytest.fixture(name="claimsctl")
def claimsctl_without_errors(claimsctl):
    def run(daemon, *words):
        done = claimsctl(daemon, *words)
        assert done.stderr == ""
        return done

    return run


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_is_in_status_doctor_metrics_and_log_with_its_fix(claimsd, peer, claimsctl, upstream, name):
    condition = CONDITIONS[name]
    daemon = claimsd(upstream(name))
    daemon.config_file.write_text(toml(daemon.tables))
    peer(daemon).ask_all([f"a.token{number}.b" for number in range(condition.queries)])

    (finding,) = [one for one in daemon.status()["findings"] if one["code"] == condition.event]
    assert condition.fix in finding["hint"]
    status = claimsctl(daemon, "status")
    assert status.returncode == 69
    assert f"  ! {finding['message']}\n    fix: {finding['hint']}\n" in status.stdout

    doctor = json.loads(claimsctl(daemon, "doctor", "--json", "--config", str(daemon.config_file)).stdout)
    assert (finding["message"], finding["hint"]) in [(one["says"], one["fix"]) for one in doctor["findings"] if one["check"] == "daemon"]

    (value,) = re.findall(rf"^{re.escape(condition.metric)} (\d+)$", daemon.admin("/metrics")[1].decode(), re.MULTILINE)
    assert int(value) == (0 if name in STAYS_ZERO else condition.queries)

    (line,) = [line for line in daemon.log().splitlines() if f" {LOGGED_AS.get(name, condition.event)}" in line]
    assert f" {condition.level} " in line
    if name == "unusable":
        assert all('member "role" lists more than 256 roles' in text for text in (line, finding["message"]))
    else:
        assert condition.fix in line
