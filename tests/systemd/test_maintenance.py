"""What OPERATIONS.md says about maintenance, backups, keys, upgrades and removal, run word for word on
installed packages."""

import re
import subprocess

import pytest

import machine as machines
from conftest import ROOT, as_worker, install, set_url
from manual import commands
from peer import Peer, until
from spinners import Spinners
from tokens import jwt, user_of

OPERATIONS = (ROOT / "daemon" / "OPERATIONS.md").read_text()
STATE = "/var/lib/claimsd"
UNITS = ["claimsd.socket", "claimsd-admin.socket", "claimsd"]


def block(name):
    return commands(OPERATIONS, name)


@pytest.fixture
def running(machine):
    machine.run("systemctl", "start", *UNITS)
    as_worker(machine)  # otherwise the doctor warns that no user may query
    return machine


def token_of(name):
    return jwt(sub=name, iat=1_700_000_000)  # before all revocations


def reason(machine, name):
    with Peer(machine.path("run/claimsd/claims.sock")) as peer:
        return peer.ask(token_of(name)).reason


def revoke(machine, name):
    machine.run("claimsctl", "revoke", "--user", user_of(token_of(name)))


def why_not_started(machine):
    until(lambda: "cannot start" in machine.show("claimsd", "StatusText"), "it says why it cannot start")
    return machine.run("claimsctl", "status", check=False).stderr


def repacked(packages, name, version, directory):
    """The package with another version."""
    (deb,) = packages.glob(f"{name}_*.deb")
    tree, out = directory / f"{name}-{version}", directory / f"{name}_{version}.deb"
    subprocess.run(["dpkg-deb", "-R", deb, tree], check=True)
    control = tree / "DEBIAN" / "control"
    control.write_text(re.sub(r"^Version: .*$", f"Version: {version}", control.read_text(), flags=re.MULTILINE))
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, out], check=True, stdout=subprocess.DEVNULL)
    return out


def apt_install(machine, deb, *options):
    machine.install_file(deb, f"tmp/{deb.name}")
    return machine.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "--yes", *options, f"/tmp/{deb.name}", timeout=300)


def test_a_maintenance_stop_lasts(running):
    running.run("sh", "-ec", block("maintenance"))
    with pytest.raises(OSError):
        reason(running, "anyone")
    assert running.show("claimsd", "ActiveState") == "inactive"
    running.run("sh", "-ec", block("end of maintenance"))
    assert reason(running, "anyone") == "ok"


def test_a_backup_is_restored_on_another_host_with_its_revocations_and_records(running, fresh, packages, faults):
    revoke(running, "alice")
    running.run("sh", "-ec", "cd /root\n" + block("back up"))
    assert reason(running, "alice") == "revoked"
    with machines.Machine(fresh) as other:
        other.run("useradd", "--system", "earlier")  # there the uid of claimsd is another one
        install(other, packages)
        as_worker(other)
        set_url(other, faults.url("echo"))
        other.run("hostname", "another-host")
        other.path("root/claimsd-backup.tar.gz").write_bytes(running.path("root/claimsd-backup.tar.gz").read_bytes())
        uids = [one.run("id", "-u", "claimsd").stdout for one in (running, other)]
        assert uids[0] != uids[1]
        restored = other.run("sh", "-c", "cd /root\n" + block("restore"), check=False)
        assert "FAILED" not in restored.stdout, restored.stdout + restored.stderr
        assert (reason(other, "alice"), reason(other, "bob")) == ("revoked", "ok")
        assert "revoked" in other.run("claimsctl", "audit", "search", "--event", "revoked").stdout
        verified = other.run("claimsctl", "audit", "verify", check=False)
        assert verified.returncode == 0, verified.stdout + verified.stderr


def test_the_host_key_is_rotated_and_revocations_stay(running):
    revoke(running, "carol")
    before = running.path(f"{STATE}/host.key").read_bytes()
    running.run("sh", "-ec", block("rotate"))
    assert (reason(running, "carol"), reason(running, "dave")) == ("revoked", "ok")
    assert running.path(f"{STATE}/host.key").read_bytes() != before
    assert running.run("claimsctl", "status", check=False).returncode == 0


def test_an_older_set_of_revocations_is_accepted_once(running):
    running.run("systemctl", "stop", *UNITS)
    running.run("cp", "-a", f"{STATE}/revocations", "/root/old")
    running.run("systemctl", "start", *UNITS)
    revoke(running, "erin")
    running.run("systemctl", "stop", *UNITS)
    running.run("sh", "-ec", f"rm -r {STATE}/revocations; mv /root/old {STATE}/revocations")
    running.run("systemctl", "start", "--no-block", *UNITS)
    (digest,) = re.findall(r"--accept-revocations=(\w+)", why_not_started(running))
    running.run("sh", "-ec", block("accept").replace("DIGEST", digest))
    assert reason(running, "erin") == "ok"
    assert "--accept-revocations" not in running.show("claimsd", "ExecStart")
    running.run("systemctl", "restart", "claimsd")
    assert reason(running, "erin") == "ok"


def test_an_upgrade_under_load_loses_no_lookup(running, packages, build, tmp_path):
    upgrade = repacked(packages, "claimsd", "99", tmp_path)
    tokens = [jwt(sub=f"user-{number}") for number in range(80)]
    spinning = Spinners(build, tmp_path, running.path("run/claimsd/claims.sock"), 4, lambda number: tokens[number::4]).start()
    try:
        spinning.until_each_goes_on("lookups", 1000)
        before = running.show("claimsd", "MainPID")
        apt_install(running, upgrade)
        assert running.show("claimsd", "MainPID") != before
        spinning.until_each_goes_on("lookups", 1000)
        assert [(row.invalid, row.unavailable, row.wrong) for row in spinning.rows()] == [(0, 0, 0)] * 4
    finally:
        spinning.close()
    assert running.run("dpkg-query", "-W", "-f=${Version}", "claimsd").stdout == "99"


def test_after_a_downgrade_the_state_of_the_newer_version_is_refused_with_the_reason(running, packages):
    """The package is the same program with a lower version, so the state is marked as that of a newer one."""
    running.run("sh", "-ec", "cd /root\n" + block("back up"))
    running.run("systemctl", "stop", *UNITS)
    newest = sorted(running.path(f"{STATE}/audit").glob("*.segment"))[-1]
    content = newest.read_bytes()
    assert b"identity\x02" in content  # the row of the segment and its version: audit/FORMAT.md
    newest.write_bytes(content.replace(b"identity\x02", b"identity\x09"))
    running.run("systemctl", "start", "--no-block", *UNITS)
    (older,) = packages.glob("claimsd_*.deb")
    apt_install(running, older, "--allow-downgrades")
    said = why_not_started(running)
    assert "has format version 9, but this claimsd needs 2" in said and newest.name in said and "damaged" not in said, said
    running.run("sh", "-c", "cd /root\n" + block("restore"), check=False)
    assert reason(running, "frank") == "ok"


def test_a_reload_is_logged_as_the_operators(running):
    running.run("systemctl", "reload", "claimsd")
    assert "uid 0 reloaded /etc/claimsd/claimsd.toml" in running.journal("claimsd")
    assert "configured" in running.run("claimsctl", "audit", "search").stdout


def test_anchors_do_not_drown_the_journal(running):
    began = running.run("date", "+%s.%N").stdout.strip()
    running.run("systemctl", "restart", "claimsd")
    for number in range(20):  # each action is synchronized to the disk, and anchored later
        revoke(running, f"anchored-{number}")
    lines = running.run("journalctl", "-u", "claimsd", "-o", "cat", f"--since=@{began}").stdout.splitlines()
    assert len([line for line in lines if line.startswith("audit_anchor")]) <= 2, lines


def test_purge_deletes_the_audit_log_if_the_operator_said_so(running):
    """test_packages.py: otherwise it stays."""
    (command,) = re.findall(r"`sudo (touch /var/lib/claimsd/purge-audit-log)`", OPERATIONS)
    running.run("sh", "-c", command)
    running.run("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "purge", "--yes", "claimsd", timeout=300)
    assert not running.path(STATE).exists()
