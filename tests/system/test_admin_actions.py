"""Purge and revoke against a real daemon: effective immediately, and still after a SIGKILL."""

import json
import os
import pty
import subprocess
import time

import pytest

from daemon import StartFailed
from tokens import jwt, old_token, user_of

VALID, USAGE, UNAVAILABLE = 0, 2, 69


def new_token(name):
    return jwt(sub=name, iat=int(time.time()) + 60)


def test_a_purged_token_is_verified_again(claimsd, claimsctl, peer, faults):
    daemon = claimsd(faults.url("echo"))
    asker = peer(daemon)
    assert asker.ask("token").source == "upstream"
    assert asker.ask("token").source == "cache"
    assert claimsctl(daemon, "purge", token="token\n").returncode == VALID
    assert asker.ask("token").source == "upstream"
    assert claimsctl(daemon, "purge", "--all").returncode == VALID
    assert asker.ask("token").source == "upstream"
    assert claimsctl(daemon, "purge", "--user", user_of("token")).returncode == VALID
    assert asker.ask("token").source == "upstream"


@pytest.mark.parametrize("what", ["token", "user", "all"])
def test_an_acknowledged_revocation_survives_a_sigkill(claimsd, claimsctl, peer, faults, what):
    daemon = claimsd(faults.url("echo"))
    token, other = old_token("revoked"), new_token("other")
    arguments = {"token": [], "user": ["--user", user_of(token)], "all": ["--all", "--yes"]}[what]
    assert [answer.verdict for answer in peer(daemon).ask_all([token, other])] == ["valid", "valid"]
    done = claimsctl(daemon, "revoke", *arguments, token=token if what == "token" else None)
    assert (done.returncode, done.stderr) == (VALID, "")
    assert f"uid {os.geteuid()} revoked" in daemon.log()
    daemon.kill()
    daemon.start()
    asker = peer(daemon)
    assert asker.ask(token).reason == "revoked"
    assert asker.ask(token, max_age_ms=0).reason == "revoked"
    assert asker.ask(other).verdict == "valid"


def test_after_a_revocation_a_new_login_is_valid_unless_the_user_is_locked(claimsd, claimsctl, peer, faults):
    daemon = claimsd(faults.url("ok"))
    asker = peer(daemon)
    assert asker.ask(old_token("a")).id == "user-123"
    assert claimsctl(daemon, "revoke", "--user", "user-123").returncode == VALID
    assert asker.ask(old_token("a")).reason == "revoked"
    assert asker.ask(new_token("b")).verdict == "valid"
    done = claimsctl(daemon, "revoke", "--user", "user-123", "--lock", "--for", "1h", "--json")
    assert (done.returncode, json.loads(done.stdout)["done"]) == (VALID, True)
    assert asker.ask(new_token("b")).reason == "revoked"
    assert asker.ask(new_token("c")).reason == "revoked"
    assert "3 of 100,000 rules in effect" in claimsctl(daemon, "status").stdout


def test_a_request_in_flight_does_not_make_a_revoked_token_valid(claimsd, claimsctl, peer, faults):
    daemon = claimsd(faults.url("gate"))
    asker = peer(daemon)
    asker.query("token")
    faults.wait("gate", count=1)
    assert claimsctl(daemon, "revoke", token="token").returncode == VALID
    faults.open("gate")
    assert asker.answer()[1].reason == "revoked"


def test_a_revocation_survives_the_loss_of_the_cache_key_and_a_new_upstream_url(claimsd, claimsctl, peer, faults):
    daemon = claimsd(faults.url("echo"))
    assert claimsctl(daemon, "revoke", token="token").returncode == VALID
    daemon.stop()
    daemon.key_file.unlink()
    daemon.tables["upstream.main"]["url"] = faults.url("ok")
    daemon.start()
    assert peer(daemon).ask("token").reason == "revoked"


def test_without_the_key_of_its_revocations_the_daemon_does_not_start(claimsd, claimsctl, faults):
    daemon = claimsd(faults.url("echo"))
    assert claimsctl(daemon, "revoke", token="token").returncode == VALID
    daemon.stop()
    (daemon.root / "revocations" / "key").unlink()
    with pytest.raises(StartFailed, match="backup"):
        daemon.start()


def test_wrong_orders_are_wrong_usage(claimsd, claimsctl, faults):
    daemon = claimsd(faults.url("echo"))
    for arguments, token in (
            (["revoke"], "not a token"), (["revoke", "--user", "a", "--all"], None), (["revoke", "--for", "soon"], "t"),
            (["revoke", "--all", "--lock"], None), (["purge", "--lock", "--user", "a"], None),
            (["revoke", "--user", "a", "--upstream", "none"], None),
            (["revoke", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln"], None)):
        done = claimsctl(daemon, *arguments, token=token)
        assert done.returncode == USAGE, arguments
        assert "eyJ" not in done.stdout + done.stderr
    assert daemon.status()["cache"]["revocations"] == 0


def test_revoking_all_without_a_terminal_needs_yes(claimsd, claimsctl, faults):
    daemon = claimsd(faults.url("echo"))
    refused = claimsctl(daemon, "revoke", "--all")
    assert (refused.returncode, "--yes" in refused.stderr) == (USAGE, True)
    assert daemon.status()["cache"]["revocations"] == 0
    assert claimsctl(daemon, "revoke", "--all", "--yes").returncode == VALID
    assert daemon.status()["cache"]["revocations"] == 1


def test_revoking_all_on_a_terminal_asks_first(build, claimsd, faults):
    daemon = claimsd(faults.url("echo"))

    def answered(text):
        primary, terminal = pty.openpty()
        command = [str(build / "client" / "claimsctl" / "claimsctl"), "--admin-socket", str(daemon.admin_socket),
                   "revoke", "--all"]
        process = subprocess.Popen(command, stdin=terminal, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        os.write(primary, text)
        printed, asked = process.communicate(timeout=60)
        os.close(primary)
        os.close(terminal)
        assert "Type yes to continue" in asked
        return process.returncode

    assert answered(b"no\n") == USAGE
    assert daemon.status()["cache"]["revocations"] == 0
    assert answered(b"yes\n") == VALID
    assert daemon.status()["cache"]["revocations"] == 1


def test_an_order_without_a_daemon_exits_69(claimsd, claimsctl, faults):
    daemon = claimsd(faults.url("echo"))
    daemon.stop()
    assert claimsctl(daemon, "revoke", "--all", "--yes").returncode == UNAVAILABLE


def test_no_file_contains_the_tokens_or_ids_of_orders(claimsd, claimsctl, faults):
    daemon = claimsd(faults.url("ok"))
    assert claimsctl(daemon, "revoke", token="canary-token-0123456789").returncode == VALID
    assert claimsctl(daemon, "revoke", "--user", "canary-user-0123456789").returncode == VALID
    daemon.stop()
    for path in daemon.root.rglob("*"):
        if path.is_file():
            # Only the audit log may name the user of an order, by id. A token appears nowhere.
            secret = b"canary-token" if path.parent.name == "audit" else b"canary"
            assert secret not in path.read_bytes(), path
