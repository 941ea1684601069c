"""A worker in a container uses the host's daemon through the socket directory, mounted read-only:
what each namespace changes (OPERATIONS.md)."""

import time

import pytest

from conftest import as_worker
from machine import PATIENCE
from tokens import jwt, user_of
from workers import Worker

# A root in which /run has only what is mounted, as in a container.
CONTAINER = """set -e
mkdir -p /tmp/container
mount --rbind / /tmp/container
mount -t tmpfs tmpfs /tmp/container/run
mkdir /tmp/container/run/claimsd
if [ "$1" != bare ]; then
  mount --bind /run/claimsd /tmp/container/run/claimsd
fi
if [ "$1" = mounted ]; then
  mount -o remount,bind,ro /tmp/container/run/claimsd
fi
shift
cd /tmp/container
pivot_root . mnt
umount -l mnt
exec "$@"
"""
NUMBERS = iter(range(1000))


@pytest.fixture
def ask(machine):
    """The answers to two queries of one process in a container with these `namespaces`.

    With `until`, the second query is repeated until its answer has that source: a lease is
    published after the answer is sent, so the very next query may come too early.
    """

    def asked(*inner, mounted=True, outer=(), env=(), until=None):
        token = jwt(sub=f"contained-{next(NUMBERS)}")
        command = machine.command("unshare", "--mount", "--pid", "--fork", *outer, "sh", "-c", CONTAINER, "sh", "mounted" if mounted else "bare",
                                  *as_worker(machine), *inner, "env", "CLAIMSD_TIMEOUT_MS=2000", *env)
        with Worker(None, "/run/claimsd/claims.sock", "ask", prefix=command, binary="/usr/local/bin/claimsd_worker") as worker:
            first, second = worker.ask(token), worker.ask(token)
            end = time.monotonic() + PATIENCE
            while until and second.source != until and time.monotonic() < end:
                second = worker.ask(token)
        if first.verdict == "valid":
            assert first.id == second.id == user_of(token)
        return first, second

    return asked


def test_a_container_needs_only_the_mounted_socket_directory(ask):
    first, second = ask(until="shared")
    assert (first.source, second.source) == ("upstream", "shared")


# Root of a container, which has no CAP_SYS_ADMIN and so cannot mount, puts a socket of its own in the daemon's place.
INTRUSION = """
mv /run/claimsd/claims.sock /run/claimsd/moved &&
  python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('/run/claimsd/claims.sock')" && echo replaced
rm -f /run/claimsd/claims.sock 2>/dev/null && echo removed
touch /run/claimsd/file 2>/dev/null && echo written
chmod 0777 /run/claimsd 2>/dev/null && echo opened
mount -o remount,rw /run/claimsd 2>/dev/null && echo remounted
ls -d /run/claimsd-admin /run/claimsd-cache 2>/dev/null
ls /run/claimsd
"""


def intrude(machine, mode):
    done = machine.run("unshare", "--mount", "--pid", "--fork", "sh", "-c", CONTAINER, "sh", mode,
                       "setpriv", "--bounding-set=-sys_admin", "sh", "-c", INTRUSION, check=False)
    return done.stdout.split()


def test_root_in_a_container_cannot_replace_the_socket_or_reach_another(machine, ask):
    machine.run("systemctl", "start", "claimsd")
    assert intrude(machine, "mounted") == ["claims.sock"]
    assert ask()[0].verdict == "valid"


def test_with_a_writable_mount_it_could_replace_the_socket(machine):
    """Why OPERATIONS.md says `:ro`, and proof that the test above would notice."""
    try:
        found = intrude(machine, "writable")
        assert "replaced" in found and "written" in found and "opened" in found
        assert "/run/claimsd-admin" not in found and "remounted" not in found
    finally:
        machine.run("systemctl", "stop", "claimsd", "claimsd.socket")
        machine.run("sh", "-c", "rm -f /run/claimsd/*")
        machine.run("systemd-tmpfiles", "--create", "claimsd.conf")
        machine.run("systemctl", "start", "claimsd.socket", "claimsd")


def test_without_the_mount_there_is_no_daemon(ask):
    assert [answer.reason for answer in ask(mounted=False)] == ["no_daemon"] * 2


def test_in_a_user_namespace_the_daemon_runs_as_uid_65534(ask):
    assert ask("unshare", "--user", "--map-root-user")[0].reason == "wrong_daemon"
    first, _ = ask("unshare", "--user", "--map-root-user", env=["CLAIMSD_DAEMON_UID=65534"])
    assert first.verdict == "valid"


def test_in_a_time_namespace_leases_are_not_used(ask):
    first, second = ask(outer=["--time", "--boottime", "100000"])
    assert (first.source, second.source) == ("upstream", "cache")


def test_allowed_uids_are_uids_of_the_host(machine, ask):
    """Whatever the container calls them."""
    host_uid = machine.run("id", "-u", "worker").stdout.strip()
    for uid, verdict in ((host_uid, "valid"), ("12345", "unavailable")):
        machine.run("sed", "-i", f"s|^.daemon.$|[daemon]\\nallowed_uids = [{uid}]|", "/etc/claimsd/claimsd.toml")
        machine.run("systemctl", "restart", "claimsd")
        first, _ = ask("unshare", "--user", "--map-root-user", env=["CLAIMSD_DAEMON_UID=65534"])
        machine.run("sed", "-i", "/^allowed_uids/d", "/etc/claimsd/claimsd.toml")
        assert first.verdict == verdict
