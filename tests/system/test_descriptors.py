"""File descriptors: the limit is raised, a configuration that cannot fit is refused, and workers never take those of the Auth API."""

import re

import pytest

from daemon import StartFailed, toml
from peer import Peer
from tokens import user_of


def limited(soft, hard):
    return ["prlimit", f"--nofile={soft}:{hard}"]


def needed(printed):
    """The number that the message of a failed start or reload names."""
    return int(re.search(r"needs (\d+) file descriptors", printed)[1])


def test_a_configuration_that_cannot_fit_is_refused_with_the_fix(claimsd, faults):
    daemon = claimsd(faults.url("echo"), start=False, daemon={"max_connections": 1000})
    with pytest.raises(StartFailed) as failed:
        daemon.start(prefix=limited(512, 900))
    assert failed.value.code == 78
    assert "daemon.max_connections = 1000 needs " in failed.value.printed and "but this process may have 900" in failed.value.printed
    most = int(re.search(r"set daemon.max_connections to at most (\d+)", failed.value.printed)[1])
    daemon.tables["daemon"]["max_connections"] = most
    daemon.start(prefix=limited(512, 900))


def test_a_low_soft_limit_is_raised(claimsd, faults):
    daemon = claimsd(faults.url("echo"), start=False, daemon={"max_connections": 700})
    daemon.start(prefix=limited(256, 4096))
    peers = [Peer(daemon.socket) for _ in range(600)]
    assert peers[-1].ask("token").id == user_of("token")
    for peer in peers:
        peer.close()


def test_a_full_house_of_workers_leaves_descriptors_for_the_auth_api_and_admin(claimsd, faults):
    daemon = claimsd(faults.url("gate"), start=False, daemon={"max_connections": 1000})
    with pytest.raises(StartFailed) as failed:
        daemon.start(prefix=limited(512, 512))
    exactly = needed(failed.value.printed)
    daemon.start(prefix=limited(exactly, exactly))
    peers = [Peer(daemon.socket) for _ in range(1000)]
    with Peer(daemon.socket, hello=False) as one_more:
        assert one_more.failure()[1] == 7
    for number, peer in enumerate(peers[:64]):
        peer.query(f"token-{number}", timeout_ms=20_000)
    faults.wait("gate", count=64)
    assert daemon.status()["connections"]["open"] == 1000
    faults.open("gate")
    assert [peer.answer()[1].verdict for peer in peers[:64]] == ["valid"] * 64
    for peer in peers:
        peer.close()


def test_a_reload_that_cannot_fit_changes_nothing(claimsd, faults):
    daemon = claimsd(faults.url("echo"), start=False, daemon={"max_connections": 200})
    daemon.start(prefix=limited(1024, 1024))
    daemon.tables["daemon"]["max_connections"] = 60_000
    daemon.config_file.write_text(toml(daemon.tables))
    status, body = daemon.admin("/v1/reload", {})
    assert status != 200 and b"daemon.max_connections = 60000 needs" in body
    assert daemon.status()["connections"]["max"] == 200
