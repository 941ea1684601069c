"""A set of revocations that is older than it was never starts silently."""

import re
import shutil

import pytest

from daemon import StartFailed
from peer import Peer
from tokens import old_token

OLDER = "are not the newest"


@pytest.fixture
def revoked(claimsd, claimsctl, faults):
    """A stopped daemon with two revocations, a backup made between them, and a revoked token."""
    daemon = claimsd(faults.url("ok"))
    token = old_token("a")
    assert claimsctl(daemon, "revoke", token="first").returncode == 0
    daemon.stop()
    shutil.copytree(daemon.root / "revocations", daemon.root / "backup")
    daemon.start()
    assert claimsctl(daemon, "revoke", "--user", "user-123", "--lock").returncode == 0
    daemon.stop()
    return daemon, token


def restore(daemon):
    shutil.rmtree(daemon.root / "revocations")
    shutil.copytree(daemon.root / "backup", daemon.root / "revocations")


def head_copy(daemon):
    return daemon.root / "host.key.revocations"


@pytest.mark.parametrize("what", ["directory missing", "file missing", "older backup"])
@pytest.mark.parametrize("copy", ["both", "beside the key", "in the audit log"])
def test_an_older_set_is_refused_by_either_copy_of_its_head(revoked, what, copy):
    daemon, _ = revoked
    if what == "older backup":
        restore(daemon)
    elif what == "file missing":
        (daemon.root / "revocations" / "revocations.mdb").unlink()
    else:
        shutil.rmtree(daemon.root / "revocations")
    if copy == "beside the key":
        shutil.rmtree(daemon.root / "audit")
    elif copy == "in the audit log":
        head_copy(daemon).unlink()
    for _ in range(2):  # a refused start changes nothing
        with pytest.raises(StartFailed, match=OLDER):
            daemon.start()


def test_the_newest_set_starts_again_and_says_how_many_rules_are_in_effect(revoked):
    daemon, token = revoked
    restored = daemon.root / "newest"
    shutil.copytree(daemon.root / "revocations", restored)
    restore(daemon)
    with pytest.raises(StartFailed, match=OLDER):
        daemon.start()
    shutil.rmtree(daemon.root / "revocations")
    restored.rename(daemon.root / "revocations")
    daemon.start()
    assert "revocations_loaded" in daemon.log() and "3 rules in effect" in daemon.log()
    assert Peer(daemon.socket).ask(token).reason == "revoked"


def test_an_older_set_of_revocations_can_be_accepted_once_and_is_audited(revoked, claimsctl):
    daemon, token = revoked
    restore(daemon)
    with pytest.raises(StartFailed) as refused:
        daemon.start()
    accepted = re.search(r"--accept-revocations=[0-9a-f]+", refused.value.printed).group()
    with pytest.raises(StartFailed, match=OLDER):
        daemon.start(arguments=["--accept-revocations=0123456789abcdef"])
    daemon.start(arguments=[accepted])
    assert Peer(daemon.socket).ask(token).verdict == "valid"
    assert Peer(daemon.socket).ask("first").reason == "revoked"
    assert "revocations accepted" in claimsctl(daemon, "audit", "search", "--event", "configured", "--directory", daemon.root / "audit").stdout
    daemon.stop()
    daemon.start()  # without the option: this set is the newest now
    daemon.stop()
    restore(daemon)
    with pytest.raises(StartFailed, match=OLDER):
        daemon.start(arguments=[accepted])


def test_a_damaged_copy_is_logged_and_does_not_refuse(revoked):
    daemon, token = revoked
    head_copy(daemon).write_text("claimsd-revocations 1 99 damaged")
    daemon.start()
    assert "revocation_copy_unreadable" in daemon.log()
    assert Peer(daemon.socket).ask(token).reason == "revoked"
    daemon.stop()
    assert "damaged" not in head_copy(daemon).read_text()


def test_a_set_ahead_of_its_copies_starts(revoked):
    daemon, token = revoked
    head_copy(daemon).unlink()
    shutil.rmtree(daemon.root / "audit")
    daemon.start()
    assert Peer(daemon.socket).ask(token).reason == "revoked"
