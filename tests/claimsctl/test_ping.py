"""claimsctl ping."""

import json

from fakes import FakeDaemon


def pings(daemon):
    return [name for name, _ in daemon.seen].count("Ping")


def test_one_ping_prints_how_long_it_took(claimsctl):
    with FakeDaemon(claimsctl.socket) as daemon:
        done = claimsctl.run("ping")
    assert done.returncode == 0
    assert f"{claimsctl.socket} answered in " in done.stdout
    assert pings(daemon) == 1


def test_several_pings_are_summarized(claimsctl):
    with FakeDaemon(claimsctl.socket) as daemon:
        done = claimsctl.run("ping", "--count", "50", "--json")
    assert done.returncode == 0
    assert pings(daemon) == 50
    shown = json.loads(done.stdout)
    assert (shown["schema"], shown["answered"], shown["reason"]) == (1, 50, "ok")
    assert 0 < shown["least_ns"] <= shown["median_ns"] <= shown["most_ns"]
    assert shown["least_ns"] <= shown["first_ns"] <= shown["most_ns"]


def test_no_daemon_exits_69(claimsctl):
    done = claimsctl.run("ping")
    assert done.returncode == 69
    assert claimsctl.socket in done.stderr and "systemctl start claimsd" in done.stderr
    machine = claimsctl.run("ping", "--json")
    assert machine.returncode == 69
    shown = json.loads(machine.stdout)
    assert (shown["schema"], shown["answered"], shown["reason"]) == (1, 0, "no_daemon")


def test_a_daemon_that_rejects_the_connection_exits_77(claimsctl):
    with FakeDaemon(claimsctl.socket, failure=6):
        assert claimsctl.run("ping").returncode == 77


def test_a_daemon_that_hangs_up_midway_shows_the_pings_it_answered(claimsctl):
    with FakeDaemon(claimsctl.socket, hang_up_after=3):
        done = claimsctl.run("ping", "--count", "10", "--json")
    assert done.returncode == 69
    shown = json.loads(done.stdout)
    assert shown["answered"] == 3 and shown["reason"] != "ok"
