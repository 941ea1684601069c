"""Access control by uid, gid and socket permissions, and limits on the number of connections."""

import os
import shutil

import pytest

import other_user
from peer import Peer, until
from workers import Worker

NOT_ALLOWED, TOO_MANY, TOO_MANY_OF_UID = 6, 7, 12
OPEN_TO_ALL = {"socket_mode": "0666"}

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@pytest.fixture(scope="module")
def portable_worker(build, scratch):
    """The worker and its library in a place any user may read: (binary, environment)."""
    directory = scratch()
    shutil.copy(build / "tests" / "system" / "claimsd_worker", directory)
    shutil.copy(build / "client" / "src" / "libclaimsd.so.1", directory)
    return directory / "claimsd_worker", {"LD_LIBRARY_PATH": str(directory)}


@pytest.fixture
def stranger(portable_worker):
    """Sends one query with libclaimsd as another user."""

    def ask(daemon):
        binary, env = portable_worker
        who = ["setpriv", f"--reuid={other_user.UID}", f"--regid={other_user.UID}", "--clear-groups"]
        with Worker(None, daemon.socket, "ask", env=env, prefix=who, binary=binary) as process:
            return process.ask("token")

    return ask


def first_words(daemon):
    """The Failure that a rejected client gets on connect: (request id, code)."""
    with Peer(daemon.socket, hello=False) as peer:
        return peer.failure()


@as_root
def test_a_uid_that_is_not_allowed_gets_a_failure_and_the_reason_not_permitted(claimsd, faults, stranger):
    daemon = claimsd(faults.url("echo"), daemon={**OPEN_TO_ALL, "allowed_uids": [other_user.UID + 1]})
    assert other_user.call(lambda: first_words(daemon)) == (0, NOT_ALLOWED)
    answer = stranger(daemon)
    assert (answer.verdict, answer.reason) == ("unavailable", "not_permitted")
    assert faults.count("echo") == 0


@as_root
@pytest.mark.parametrize("lists", [
    {"allowed_uids": [other_user.UID]}, {"allowed_gids": [other_user.UID]}, {}])
def test_an_allowed_uid_or_gid_is_admitted(claimsd, faults, stranger, lists):
    daemon = claimsd(faults.url("echo"), daemon={**OPEN_TO_ALL, **lists})
    assert stranger(daemon).verdict == "valid"


@as_root
def test_a_socket_that_this_user_may_not_open_gives_not_permitted(claimsd, faults, stranger):
    daemon = claimsd(faults.url("echo"), daemon={"socket_mode": "0660"})
    answer = stranger(daemon)
    assert (answer.verdict, answer.reason) == ("unavailable", "not_permitted")


@as_root
def test_the_sockets_have_the_configured_modes_and_groups(claimsd, faults):
    daemon = claimsd(faults.url("echo"), daemon={"socket_mode": "0620", "socket_group": "54321",
                                                 "admin_socket_mode": "0600"})
    assert (daemon.socket.stat().st_mode & 0o777, daemon.socket.stat().st_gid) == (0o620, 54321)
    assert daemon.admin_socket.stat().st_mode & 0o777 == 0o600


@as_root
def test_uid_65534_is_rejected_even_if_it_is_allowed(claimsd, faults):
    daemon = claimsd(faults.url("echo"), daemon={**OPEN_TO_ALL, "allowed_uids": [65534]})
    refused = other_user.call(lambda: first_words(daemon), uid=65534, gid=65534)
    assert refused == (0, NOT_ALLOWED)


@as_root
def test_only_the_daemon_can_read_the_cache_and_the_key(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    peer(daemon).ask("token")

    def readable():
        return os.access(daemon.cache, os.R_OK | os.X_OK), os.access(daemon.key_file, os.R_OK)

    assert other_user.call(readable) == (False, False)
    assert daemon.key_file.stat().st_mode & 0o777 == 0o400


def test_a_uid_at_its_connection_limit_can_connect_again_after_closing_one(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"), daemon={"max_connections_per_uid": 3})
    mine = [peer(daemon) for _ in range(3)]
    refused = peer(daemon, hello=False)
    assert refused.failure() == (0, TOO_MANY_OF_UID)
    assert refused.is_closed()
    assert mine[2].ask("token").verdict == "valid"
    mine.pop(0).close()

    def welcomed():
        try:
            with Peer(daemon.socket) as again:
                return again.ask("token").verdict == "valid"
        except (AssertionError, ConnectionError):
            return False

    until(welcomed, "the closed connection makes room")


@as_root
def test_one_uid_at_its_connection_limit_does_not_affect_other_uids(claimsd, peer, faults, stranger):
    daemon = claimsd(faults.url("echo"), daemon={**OPEN_TO_ALL, "max_connections_per_uid": 2})
    mine = [peer(daemon) for _ in range(2)]
    assert peer(daemon, hello=False).failure() == (0, TOO_MANY_OF_UID)
    assert stranger(daemon).verdict == "valid"
    assert mine[0].ask("token").verdict == "valid"


def test_the_total_number_of_connections_is_limited(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"), daemon={"max_connections": 2})
    mine = [peer(daemon) for _ in range(2)]
    assert peer(daemon, hello=False).failure() == (0, TOO_MANY)
    assert mine[1].ask("token").verdict == "valid"
