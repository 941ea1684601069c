"""Revocations as actions with ids: what they match, how they are listed and withdrawn, and what
happens when the disk is slow or full."""

import json
import mmap
import os
import struct
import time

import pytest

from peer import Peer, until
from tokens import jwt, old_token

DONE, NOTHING_KNOWN, USAGE, TRY_AGAIN = 0, 0, 2, 75


def respelled(token):
    """The same token as a lenient verifier reads it: the signature's unused bits, padding and
    foreign characters."""
    head, signature = token.rsplit(".", 1)
    return [token + "=", token + "~", f"{head}.{signature[:1]}~{signature[1:]}",
            token[:-1] + chr(ord(token[-1]) + 1)]


def test_a_revoked_token_is_invalid_however_it_is_spelled(claimsd, claimsctl, peer, faults):
    daemon = claimsd(faults.url("ok"))
    asker = peer(daemon)
    token = jwt(sub="user-123", iat=1)
    spellings = [token, *respelled(token)]
    assert [answer.verdict for answer in asker.ask_all(spellings)] == ["valid"] * 5
    done = claimsctl(daemon, "revoke", token=token)
    assert (done.returncode, "spelling" in done.stdout) == (DONE, False)
    assert [answer.reason for answer in asker.ask_all(spellings)] == ["revoked"] * 5
    assert "another spelling of this token may exist; use --user" in claimsctl(daemon, "revoke", token="opaque").stdout


def test_revoke_says_what_it_matched(claimsd, claimsctl, peer, faults):
    daemon = claimsd(faults.url("ok"))
    asker = peer(daemon)
    asker.ask_all([old_token("a"), old_token("b")])
    found = json.loads(claimsctl(daemon, "revoke", "--user", "user-123", "--json").stdout)
    assert (found["matched"], found["warnings"]) == (2, [])
    missed = claimsctl(daemon, "revoke", "--user", "tess@example.com")
    assert missed.returncode == NOTHING_KNOWN
    assert "no cached token belongs to this user" in missed.stdout
    assert "had not seen this token" in claimsctl(daemon, "revoke", token=old_token("never asked")).stdout


def test_revoke_warns_if_the_clock_of_this_host_is_behind_that_of_the_issuer(claimsd, claimsctl, peer, faults):
    daemon = claimsd(faults.url("ok"))
    asker = peer(daemon)
    ahead = jwt(sub="user-123", iat=int(time.time()) + 300)
    assert asker.ask(ahead).verdict == "valid"
    done = json.loads(claimsctl(daemon, "revoke", "--user", "user-123", "--json").stdout)
    assert done["matched"] == 1 and "Correct the clock" in done["warnings"][0]
    assert asker.ask(ahead).verdict == "valid"  # as the warning says
    locked = json.loads(claimsctl(daemon, "revoke", "--user", "user-123", "--lock", "--json").stdout)
    assert locked["warnings"] == []
    assert asker.ask(ahead).reason == "revoked"


def listed(daemon, claimsctl, *options):
    return [json.loads(line) for line in claimsctl(daemon, "--json", "revocations", *options).stdout.splitlines()]


def test_a_revocation_is_listed_by_its_id_and_can_be_withdrawn(claimsd, claimsctl, peer, faults):
    daemon = claimsd(faults.url("ok"))
    asker = peer(daemon)
    token = old_token("a")
    asker.ask(token)
    lock = json.loads(claimsctl(daemon, "revoke", "--user", "user-123", "--lock", "--json").stdout)["id"]
    other = json.loads(claimsctl(daemon, "revoke", "--json", token="opaque").stdout)["id"]
    assert asker.ask(token).reason == "revoked"
    assert {(row["id"], row["kind"], row["actor_uid"]) for row in listed(daemon, claimsctl)} == {
        (lock, "lock", os.geteuid()), (other, "token", os.geteuid())}
    undone = claimsctl(daemon, "unrevoke", lock)
    assert (undone.returncode, undone.stderr) == (DONE, "")
    assert asker.ask(token).verdict == "valid"
    assert [row["id"] for row in listed(daemon, claimsctl)] == [other]
    assert {row["id"] for row in listed(daemon, claimsctl, "--all")} == {lock, other}
    again = claimsctl(daemon, "unrevoke", lock)
    assert (again.returncode, "withdrawn already" in again.stderr) == (USAGE, True)
    assert claimsctl(daemon, "unrevoke", "0" * 32).returncode == USAGE
    daemon.kill()
    daemon.start()
    assert peer(daemon).ask(token).verdict == "valid"
    assert peer(daemon).ask("opaque").reason == "revoked"
    events = claimsctl(daemon, "audit", "search", "--event", "unrevoked", "--directory", daemon.root / "audit").stdout
    assert f"action={lock}" in events and "user-123" not in daemon.log()


# ---- the disk ------------------------------------------------------------------------------------


@pytest.fixture
def watched(build, claimsd, faults):
    """Starts a daemon whose disk calls for revocations are watched."""
    def start(**environment):
        daemon = claimsd(faults.url("ok"))  # makes the directory and its key
        daemon.stop()
        directory = daemon.root / "revocations"
        daemon.start(env={"LD_PRELOAD": str(build / "tests" / "audit" / "libclaimsd_watched_disk.so"),
                          "WATCHED_DIRECTORY": os.path.realpath(directory), **environment})
        return daemon

    return start


def unwritten(daemon):
    return daemon.status()["cache"]["unwritten_revocations"]


def test_on_a_full_disk_a_revocation_is_in_effect_and_becomes_durable_by_itself(claimsctl, watched, peer, tmp_path):
    orders = tmp_path / "orders"
    orders.write_bytes(bytes(16))
    daemon = watched(WATCHED_ORDERS=str(orders))
    with open(orders, "r+b") as file:
        order = mmap.mmap(file.fileno(), 16)
    token = old_token("a")
    peer(daemon).ask(token)
    struct.pack_into("<q", order, 8, 1_000_000)
    done = claimsctl(daemon, "revoke", "--user", "user-123")
    assert done.returncode == TRY_AGAIN, done
    assert "in effect, not yet on disk" in done.stdout and "systemctl" not in done.stdout + done.stderr
    assert peer(daemon).ask(token).reason == "revoked"
    status = daemon.status()
    finding = next(row for row in status["findings"] if row["code"] == "revocations_not_durable")
    assert "do not restart" in finding["hint"]
    assert "claimsd_revocations_unwritten 1" in daemon.admin("/metrics")[1].decode()
    assert "not on disk" in claimsctl(daemon, "status").stdout
    struct.pack_into("<q", order, 8, 0)
    until(lambda: unwritten(daemon) == 0, "the revocation is written without another order")
    assert daemon.status()["findings"] == []
    daemon.kill()
    daemon.start()
    assert Peer(daemon.socket).ask(token).reason == "revoked"


def test_on_a_slow_disk_a_revocation_exits_75_and_advises_no_restart(claimsctl, watched, peer):
    daemon = watched(WATCHED_FLUSH_MS="12000")
    token = old_token("a")
    peer(daemon).ask(token)
    done = claimsctl(daemon, "revoke", "--user", "user-123")
    assert done.returncode == TRY_AGAIN, done
    assert "in effect, not yet on disk" in done.stdout and "Do not restart claimsd" in done.stdout
    assert peer(daemon).ask(token).reason == "revoked"
    assert unwritten(daemon) == 1
    until(lambda: unwritten(daemon) == 0, "the disk has answered", 40)
    daemon.kill()
    daemon.start()
    assert Peer(daemon.socket).ask(token).reason == "revoked"
