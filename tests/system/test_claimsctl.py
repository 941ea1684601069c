"""claimsctl against a real daemon: output and exit codes."""

import json
import os

import pytest

import other_user

VALID, INVALID, USAGE, UNAVAILABLE, NOT_PERMITTED, CONFIGURATION = 0, 1, 2, 69, 77, 78


def test_query_prints_the_claims_of_a_token(claimsd, claimsctl, auth_api):
    daemon = claimsd(auth_api.url)
    done = claimsctl(daemon, "query", token=auth_api.login("tess") + "\n")
    assert done.returncode == VALID
    for word in ("valid", "user-101", "tess@example.com", "rvt"):
        assert word in done.stdout


def test_query_as_json_has_the_claims(claimsd, claimsctl, auth_api):
    daemon = claimsd(auth_api.url)
    done = claimsctl(daemon, "query", "--json", token=auth_api.login("dana"))
    said = json.loads(done.stdout)
    assert (done.returncode, said["schema"], said["verdict"], said["source"]) == (VALID, 1, "valid", "upstream")
    assert said["claims"]["clinic"] == "North"


def test_query_of_a_rejected_token_exits_1(claimsd, claimsctl, faults):
    done = claimsctl(claimsd(faults.url("401")), "query", token="token")
    assert done.returncode == INVALID
    assert "rejected" in done.stdout


@pytest.mark.parametrize("mode", ["status-503", "close", "status-403"])
def test_query_during_an_outage_exits_69(claimsd, claimsctl, faults, mode):
    assert claimsctl(claimsd(faults.url(mode)), "query", token="token").returncode == UNAVAILABLE


def test_query_for_another_auth_api_exits_78(claimsd, claimsctl, faults):
    daemon = claimsd(faults.url("echo"))
    assert claimsctl(daemon, "query", "--upstream", faults.url("echo"), token="token").returncode == VALID
    assert claimsctl(daemon, "query", "--upstream", faults.url("ok"), token="token").returncode == CONFIGURATION


def test_a_token_is_not_accepted_as_an_argument(claimsd, claimsctl, faults):
    done = claimsctl(claimsd(faults.url("echo")), "query", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln")
    assert done.returncode == USAGE
    assert "eyJ" not in done.stdout + done.stderr
    assert faults.count("echo") == 0


def test_status_reports_a_healthy_daemon_and_one_whose_auth_api_is_down(claimsd, claimsctl, peer, faults):
    mode = faults.script("status", {"status": 200}, {"status": 503})
    daemon = claimsd(faults.url(mode))
    peer(daemon).ask("token")
    done = claimsctl(daemon, "status")
    assert (done.returncode, "healthy" in done.stdout) == (VALID, True)
    reasons = [peer(daemon).ask(f"another-{number}").reason for number in range(20)]
    assert reasons[:3] == ["upstream_status"] * 3 and "backoff" in reasons
    done = claimsctl(daemon, "status", "--json")
    said = json.loads(done.stdout)
    assert said["schema"] == 1
    assert 3 <= said["upstreams"][0]["failures"] < 20
    assert (done.returncode, said["healthy"]) == (UNAVAILABLE, False)


def test_ping_is_answered(claimsd, claimsctl, faults):
    done = claimsctl(claimsd(faults.url("echo")), "ping", "--count", "5", "--json")
    assert (done.returncode, json.loads(done.stdout)["answered"]) == (VALID, 5)


@pytest.mark.parametrize("command", ["query", "status", "ping"])
def test_without_a_daemon_query_status_and_ping_exit_69(claimsd, claimsctl, faults, command):
    daemon = claimsd(faults.url("echo"))
    daemon.stop()
    done = claimsctl(daemon, command, token="token")
    assert done.returncode == UNAVAILABLE
    assert done.stdout + done.stderr != ""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("command", ["query", "status", "ping"])
def test_without_permission_query_status_and_ping_exit_77(claimsd, claimsctl, build, faults, command):
    if not other_user.call(lambda: os.access(build / "client" / "claimsctl" / "claimsctl", os.X_OK)):
        pytest.fail("another user cannot reach the build directory: run the tests where it can")
    done = claimsctl(claimsd(faults.url("echo")), command, token="token", user=other_user.UID, group=other_user.UID,
                     extra_groups=[])
    assert done.returncode == NOT_PERMITTED
