"""What OPERATIONS.md says about maintenance, backups, keys and removal, run word for word on an
installed claimsd."""

import re

import pytest

from conftest import ROOT, install, set_url
from peer import Peer, until
from tokens import jwt

OPERATIONS = (ROOT / "daemon" / "OPERATIONS.md").read_text()
STATE = "/var/lib/claimsd"


def block(name):
    (commands,) = re.findall(rf"<!-- {name} -->\n```\n(.*?)^```$", OPERATIONS, re.DOTALL | re.MULTILINE)
    return commands.replace("sudo ", "")


@pytest.fixture
def running(machine):
    machine.run("systemctl", "start", "claimsd.socket", "claimsd-admin.socket", "claimsd")
    return machine


def answers(machine, token="maintenance"):
    with Peer(machine.path("run/claimsd/claims.sock")) as peer:
        return peer.ask(jwt(sub=token)).reason


def test_a_maintenance_stop_lasts(running):
    running.run("sh", "-ec", block("maintenance"))
    assert not running.path("run/claimsd/claims.sock").exists()
    assert running.show("claimsd", "ActiveState") == "inactive"
    running.run("systemctl", "start", "claimsd.socket")
    assert answers(running) == "ok"


def test_a_backup_is_restored_on_another_host_with_its_revocations_and_records(running):
    assert answers(running, "alice") == "ok"
    running.run("claimsctl", "revoke", "--user", "alice")
    running.run("sh", "-ec", block("back up"))
    name = running.run("hostname").stdout.strip()
    uid = running.run("id", "-u", "claimsd").stdout.strip()
    try:
        running.run("hostname", "another-host")
        running.run("sh", "-c", f"systemctl stop claimsd.socket claimsd-admin.socket claimsd; rm -rf {STATE} /run/claimsd-cache/*")
        running.run("sh", "-ec", block("restore").replace("claimsctl doctor", "claimsctl status"))
        assert answers(running, "alice") == "revoked"
        assert answers(running, "bob") == "ok"
        said = running.run("claimsctl", "audit", "verify", check=False)
        assert said.returncode == 0, said.stdout + said.stderr
        assert "revoked" in running.run("claimsctl", "audit", "search", "--event", "revoked").stdout
        assert running.run("stat", "-c", "%u", STATE).stdout.strip() == uid
    finally:
        running.run("hostname", name)
        running.run("systemctl", "restart", "claimsd")


def test_the_host_key_is_rotated_and_revocations_stay(running):
    running.run("claimsctl", "revoke", "--user", "carol")
    before = running.path(f"{STATE}/host.key").read_bytes()
    running.run("sh", "-ec", block("rotate"))
    assert answers(running, "carol") == "revoked" and answers(running, "dave") == "ok"
    assert running.path(f"{STATE}/host.key").read_bytes() != before
    assert running.run("claimsctl", "status", check=False).returncode == 0


def test_state_of_another_version_is_refused_with_the_reason(running):
    """As after a downgrade."""
    running.run("systemctl", "stop", "claimsd.socket", "claimsd-admin.socket", "claimsd")
    file = sorted(running.path(f"{STATE}/audit").glob("*.segment"))[-1]
    content = file.read_bytes()
    assert b"identity\x02" in content  # the row of the segment and its version: audit/FORMAT.md
    file.write_bytes(content.replace(b"identity\x02", b"identity\x09"))
    try:
        running.run("systemctl", "start", "--no-block", "claimsd.socket", "claimsd-admin.socket", "claimsd")
        until(lambda: "cannot start" in running.show("claimsd", "StatusText"), "it is refused")
        assert "version" in running.show("claimsd", "StatusText")
    finally:
        running.run("systemctl", "stop", "claimsd.socket", "claimsd-admin.socket", "claimsd")
        file.write_bytes(content)


def test_a_reload_names_the_operator(running):
    running.run("systemctl", "reload", "claimsd")
    assert "uid 0 reloaded /etc/claimsd/claimsd.toml" in running.journal("claimsd")


@pytest.mark.parametrize("keeps", [True, False])
def test_purge_keeps_the_audit_log_unless_it_is_told_otherwise(running, packages, faults, keeps):
    assert answers(running, "erin") == "ok"
    if not keeps:
        running.run("touch", f"{STATE}/purge-audit-log")
    running.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "purge", "--yes", "claimsd", timeout=300)
    left = sorted(path.name for path in running.path(STATE).iterdir()) if running.path(STATE).exists() else []
    assert left == (["audit"] if keeps else [])
    install(running, packages)
    set_url(running, faults.url("echo"))
