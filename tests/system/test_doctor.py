"""claimsctl doctor on real hosts: with and without a daemon, with good and bad TLS, as root and as
another user."""

import json
import os
import subprocess

import pytest

from daemon import toml

CANARY = "canary-pw-61ab"
# Findings of the test host itself: the cache is on a disk, the group is empty, the clock may not be
# synchronized, and some Auth APIs of the tests speak plain http.
EXPECTED = {"cache", "clock", "groups", "transport"}


@pytest.fixture
def doctor(build):
    """Runs it for a daemon; returns {check: [finding, …]} and the exit status."""

    def run(daemon, *words, prefix=()):
        done = subprocess.run([*prefix, str(build / "client" / "claimsctl" / "claimsctl"), "--socket", str(daemon.socket), "--admin-socket",
                               str(daemon.admin_socket), "doctor", "--json", *words], capture_output=True, text=True, timeout=60)
        assert done.stderr == "" and CANARY not in done.stdout
        said = json.loads(done.stdout)
        assert said["healthy"] == (done.returncode == 0)
        checks = {}
        for finding in said["findings"]:
            assert bool(finding["fix"]) == (finding["state"] != "ok")
            checks.setdefault(finding["check"], []).append(finding)
        return checks, done.returncode

    return run


def states(checks, but=EXPECTED):
    return {name: [finding["state"] for finding in findings] for name, findings in checks.items()
            if name not in but and any(finding["state"] != "ok" for finding in findings)}


@pytest.fixture
def https(faults):
    """An Auth API over TLS that rejects requests without a token."""

    def make(port="https", **more):
        return {"url": faults.url("401", port), "ca_file": str(faults.tls / "ca.pem"), **more}

    return make


def test_a_healthy_host_exits_0_and_shows_when_the_certificate_ends(claimsd, doctor, https):
    checks, code = doctor(claimsd(https()))
    assert code == 0 and states(checks) == {}
    assert "HTTP 401" in checks["auth_api"][0]["says"]
    assert "expires in 29 days" in checks["certificate"][0]["says"]


def test_without_a_daemon_it_says_so_and_checks_the_rest(claimsd, doctor, https):
    daemon = claimsd(https(), start=False)
    daemon.config_file.write_text(toml(daemon.tables))
    checks, code = doctor(daemon, "--config", str(daemon.config_file))
    assert code == 69
    assert states(checks) == {"daemon": ["failed"], "in_effect": ["unchecked"], "claims_socket": ["failed"], "admin_socket": ["failed"],
                              "answer": ["failed"]}
    assert "systemctl stop claimsd.socket" in checks["daemon"][0]["fix"]
    assert "unchecked" in [finding["state"] for finding in checks["groups"]]
    assert "expires in" in checks["certificate"][0]["says"]


def test_a_hung_daemon_is_found(claimsd, doctor, https):
    daemon = claimsd(https())
    daemon.signal(19)  # SIGSTOP
    try:
        checks, code = doctor(daemon, "--config", str(daemon.config_file))
    finally:
        daemon.signal(18)
    assert code == 69
    assert states(checks).keys() == {"daemon", "in_effect", "answer"}


@pytest.mark.parametrize("port, why", [("https_expired", "expired"), ("https_wrong_name", "name"), ("https_self_signed", "self-signed")])
def test_a_bad_certificate_is_named(claimsd, doctor, https, port, why):
    checks, code = doctor(claimsd(https(port)))
    assert code == 69
    assert states(checks) == {"auth_api": ["failed"], "certificate": ["unchecked"]}
    assert why in checks["auth_api"][0]["says"]


def test_a_client_certificate_is_presented_and_its_end_is_reported(claimsd, doctor, https, faults):
    ours = {"client_certificate": str(faults.tls / "client.pem"), "client_key": str(faults.tls / "client.key")}
    checks, code = doctor(claimsd(https("https_client_cert", **ours)))
    assert code == 0 and states(checks) == {}
    assert "client.pem expires in" in checks["client_certificate"][0]["says"]


def test_an_auth_api_that_accepts_requests_without_a_token_is_wrong(claimsd, doctor, faults):
    checks, code = doctor(claimsd(faults.url("ok")))
    assert code == 69 and states(checks) == {"auth_api": ["failed"]}
    assert "it would accept every token" in checks["auth_api"][0]["says"]


def test_an_unreachable_auth_api_is_wrong_and_no_token_is_ever_sent(claimsd, doctor, faults):
    checks, code = doctor(claimsd("http://127.0.0.1:1"))
    assert code == 69 and states(checks) == {"auth_api": ["failed"]}
    doctor(claimsd(faults.url("401")))
    assert faults.count("401") == 1
    assert faults.seen("401")["last"]["authorization_sha256"] is None


def test_each_error_in_the_configuration_is_reported_with_its_position(claimsd, doctor):
    daemon = claimsd("https://auth.example.com", start=False)
    daemon.config_file.write_text('[cache]\nmax_ttl = "9h"\nnonsense = 1\n' + toml(daemon.tables).replace("[cache]", "[limits]"))
    checks, code = doctor(daemon, "--config", str(daemon.config_file))
    assert code == 69
    assert len(checks["configuration"]) >= 2
    assert any("claimsd.toml:2:" in finding["says"] and "max_ttl" in finding["says"] for finding in checks["configuration"])
    assert states({"disk": checks["disk"]}) == {"disk": ["unchecked"]}


def test_files_that_are_open_to_others_are_found(claimsd, doctor, https):
    daemon = claimsd(https())
    daemon.key_file.chmod(0o644)
    (daemon.root / "audit").chmod(0o755)
    daemon.config_file.chmod(0o666)
    checks, code = doctor(daemon)
    assert code == 69
    assert states(checks) == {"configuration": ["failed"], "host_key": ["failed"], "audit": ["failed"]}
    assert str(daemon.key_file) in checks["host_key"][0]["fix"]


def test_a_file_that_differs_from_the_running_configuration_is_found(claimsd, doctor, https):
    daemon = claimsd(https())
    daemon.tables["cache"]["max_ttl"] = "30s"
    daemon.config_file.write_text(toml(daemon.tables))
    checks, code = doctor(daemon)
    assert code == 0 and states(checks) == {"in_effect": ["warning"]}
    assert "cache.max_ttl" in checks["in_effect"][0]["says"]


def test_workers_that_may_not_query_are_named(claimsd, doctor, https):
    checks, code = doctor(claimsd(https()), "--worker", "nobody", "--worker", "root", "--worker", "no-such-user")
    assert code == 69
    assert [finding["state"] for finding in checks["groups"]] == ["failed", "failed", "ok"]


def test_what_another_user_may_not_read_is_unchecked_and_not_wrong(claimsd, doctor, https, build, scratch):
    if os.geteuid() != 0:
        pytest.skip("needs root")
    daemon = claimsd(https(), daemon={"socket_mode": "0600"})
    daemon.config_file.chmod(0o600)
    checks, code = doctor(daemon, "--config", str(daemon.config_file), prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    assert code == 77
    assert {state for row in states(checks).values() for state in row} == {"unchecked"}


def test_no_password_of_the_configuration_is_shown(claimsd, doctor, https):
    daemon = claimsd(https(proxy=f"http://user:{CANARY}@127.0.0.1:1"), start=False)
    daemon.config_file.write_text(toml(daemon.tables))
    daemon.config_file.chmod(0o644)
    checks, code = doctor(daemon, "--config", str(daemon.config_file))  # the fixture searches for the canary
    assert code == 69 and checks["auth_api"][0]["state"] in ("failed", "unchecked")
