"""Configuration reload in a running daemon: all changes take effect, or none."""

import json
import os
import signal
import subprocess

import other_user
from daemon import toml
from map_peer import MapPeer
from peer import until


def write(daemon):
    daemon.config_file.write_text(toml(daemon.tables))


def reload(daemon):
    """(status, reply) of POST /v1/reload with the current tables."""
    write(daemon)
    status, body = daemon.admin("/v1/reload", {})
    return status, json.loads(body)


def changes(reply):
    return {change["option"]: (change["from"], change["to"]) for change in reply["changes"]}


def ctl(build, daemon, *words, claimsd=False):
    binary = build / "client" / "claimsctl" / "claimsctl"
    return subprocess.run([binary, "--admin-socket", daemon.admin_socket, *words],
                          capture_output=True, text=True, timeout=30, check=False)


def test_reloading_the_same_configuration_changes_nothing(claimsd, faults):
    daemon = claimsd(faults.url("echo"))
    assert reload(daemon) == (200, {"schema": 1, "changes": []})
    # An equal value in another notation is no change.
    daemon.tables["cache"]["max_ttl"] = "1m"
    assert reload(daemon) == (200, {"schema": 1, "changes": []})


def test_a_changed_option_takes_effect_and_is_reported(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    assert peer(daemon).ask("token").verdict == "valid"
    daemon.tables["cache"]["max_ttl"] = "2s"
    status, reply = reload(daemon)
    assert status == 200
    assert changes(reply) == {"cache.max_ttl": ('"60s"', '"2s"')}
    assert reply["changes"][0]["origin"].startswith(f"{daemon.config_file}:")
    assert 'option_changed  cache.max_ttl: "60s" -> "2s"' in daemon.log()
    # Entries stored earlier live no longer than the new limits allow.
    answer = peer(daemon).ask("token")
    assert (answer.verdict, answer.ttl_ms <= 2000) == ("valid", True)


def test_an_option_that_needs_a_restart_rejects_the_whole_reload(claimsd, faults):
    daemon = claimsd(faults.url("echo"))
    daemon.tables["cache"].update(max_ttl="2s", max_entries=500)
    daemon.tables["daemon"]["socket_mode"] = "0600"
    status, reply = reload(daemon)
    assert (status, reply["error"]["code"]) == (409, "needs_restart")
    lines = reply["error"]["message"].splitlines()
    assert len(lines) == 2
    number = {key: 1 + next(at for at, line in enumerate(daemon.config_file.read_text().splitlines())
                            if line.startswith(key)) for key in ("socket_mode", "max_entries")}
    assert lines[0].startswith(f"{daemon.config_file}:{number['socket_mode']}: daemon.socket_mode: ")
    assert lines[1].startswith(f"{daemon.config_file}:{number['max_entries']}: cache.max_entries: 500 in the file, 100000")
    assert "restart" in lines[1]
    options = {one["option"]: one["value"] for one in json.loads(daemon.admin("/v1/config")[1])["options"]}
    assert (options["cache.max_ttl"], options["cache.max_entries"]) == ('"60s"', "100000")


def test_an_invalid_file_changes_nothing(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    daemon.tables["cache"]["max_ttk"] = "2s"
    status, reply = reload(daemon)
    assert (status, reply["error"]["code"]) == (409, "bad_configuration")
    assert "max_ttl" in reply["error"]["message"]
    daemon.config_file.unlink()
    status, body = daemon.admin("/v1/reload", {})
    assert (status, str(daemon.config_file) in json.loads(body)["error"]["message"]) == (409, True)
    assert peer(daemon).ask("token").verdict == "valid"


def test_sighup_reloads_and_notifies_the_service_manager(claimsd, faults):
    daemon = claimsd(faults.url("echo"))
    daemon.tables["cache"]["max_ttl"] = "2s"
    write(daemon)
    daemon.signal(signal.SIGHUP)
    assert daemon.wait_notified("RELOADING=1")
    assert daemon.wait_notified("READY=1")
    assert "SIGHUP reloaded" in daemon.log()
    # Notifies even on failure; the old configuration stays in effect.
    daemon.config_file.write_text("nonsense")
    daemon.signal(signal.SIGHUP)
    assert daemon.wait_notified("RELOADING=1")
    assert daemon.wait_notified("READY=1")
    assert "reload_refused" in daemon.log()


def test_a_secret_of_the_configuration_is_shown_nowhere(claimsd, build):
    """A URL with a password is refused, so an address that is in effect can be shown."""
    daemon = claimsd({"url": "https://localhost:1", "proxy": "http://proxy-one.example:3128"})
    daemon.tables["upstream.main"]["proxy"] = "http://user:hunter2@proxy-two.example:3128"
    status, reply = reload(daemon)
    assert (status, reply["error"]["code"]) == (409, "bad_configuration")
    shown = ctl(build, daemon, "config").stdout + ctl(build, daemon, "config", "--json").stdout
    assert "proxy-one" in shown
    assert "hunter2" not in shown + json.dumps(reply) + daemon.log()


def test_the_json_log_has_one_object_per_line_with_the_clients_trace_id(claimsd, peer, faults):
    daemon = claimsd(faults.url("status-503"))
    daemon.tables["log"]["format"] = "json"
    assert reload(daemon)[0] == 200
    before = len(daemon.log().splitlines())
    trace_id, token = "4bf92f3577b34da6a3ce929d0e0e4736", "secret-token-of-a-user"
    peer(daemon).ask(token, trace_id=trace_id)
    lines = [json.loads(line) for line in daemon.log().splitlines()[before:]]
    failed = next(line for line in lines if line["event"] == "upstream_failed")
    assert (failed["level"], failed["upstream"], failed["trace_id"]) == ("warning", "main", trace_id)
    assert set(failed) == {"time", "level", "event", "message", "upstream", "trace_id"}
    assert token not in daemon.log()


def test_a_client_that_is_no_longer_allowed_is_disconnected_and_others_are_not(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"), daemon={"socket_mode": "0666"})
    root = peer(daemon)
    os.setegid(other_user.UID)
    os.seteuid(other_user.UID)
    try:
        other = peer(daemon)
    finally:
        os.seteuid(0)
        os.setegid(0)
    assert other.ask("token").verdict == "valid"
    daemon.tables["daemon"]["allowed_uids"] = [12345]
    status, reply = reload(daemon)
    assert (status, changes(reply)) == (200, {"daemon.allowed_uids": ("[]", "[12345]")})
    assert other.receive() is None
    assert root.ask("token").verdict == "valid"
    assert f"closed a connection of uid {other_user.UID}" in daemon.log()


def test_a_client_that_is_no_longer_allowed_keeps_only_a_dead_map(claimsd, faults, worker):
    daemon = claimsd(faults.url("echo"), daemon={"socket_mode": "0666"})
    token = "a-token-that-is-long-enough-to-be-shown-in-the-map"
    os.setegid(other_user.UID)
    os.seteuid(other_user.UID)
    try:
        removed = MapPeer(daemon.socket)
    finally:
        os.seteuid(0)
        os.setegid(0)
    stays = MapPeer(daemon.socket)
    asker = worker(daemon, "ask")
    assert stays.ask(token).verdict == "valid"
    until(lambda: removed.lease(token), "its lease is in the map")
    assert removed.map.heartbeat() > 0
    assert asker.ask(token).verdict == "valid"

    daemon.tables["daemon"]["allowed_uids"] = [12345]
    assert reload(daemon)[0] == 200
    # The old map is marked dead, and later leases do not appear in it.
    assert removed.map.heartbeat() == 0
    assert stays.is_closed()
    assert stays.map.heartbeat() == 0
    again = MapPeer(daemon.socket)
    assert again.map.map_id != removed.map.map_id
    assert again.ask(token).verdict == "valid"
    until(lambda: again.lease(token), "its lease is in the new map")
    assert removed.lease(token) is None
    # The library reconnects by itself and uses the new map.
    assert asker.ask(token).verdict == "valid"
    # A reload that keeps the access list keeps the map.
    daemon.tables["cache"]["max_ttl"] = "30s"
    assert reload(daemon)[0] == 200
    assert again.ask(token).verdict == "valid"
    assert again.map.heartbeat() > 0
    for peer in (removed, stays, again):
        peer.close()


def test_claimsctl_reload_config_and_log_level(claimsd, build, faults):
    daemon = claimsd(faults.url("echo"))
    done = ctl(build, daemon, "reload")
    assert (done.returncode, done.stdout) == (0, "reloaded: no option changed\n")
    daemon.tables["limits"] = {"max_in_flight": 7}
    write(daemon)
    done = ctl(build, daemon, "reload")
    assert done.stdout == "reloaded: 1 option changed\n  limits.max_in_flight: 64 -> 7\n"
    row = next(line.split() for line in ctl(build, daemon, "config").stdout.splitlines()
               if line.startswith("limits.max_in_flight"))
    assert row[1] == "7" and row[2].startswith(f"{daemon.config_file}:")
    assert "limits.max_pending" not in ctl(build, daemon, "config", "--set").stdout

    daemon.tables["daemon"]["shared_memory"] = False
    write(daemon)
    done = ctl(build, daemon, "reload")
    assert (done.returncode, "daemon.shared_memory" in done.stderr) == (78, True)
    del daemon.tables["daemon"]["shared_memory"]

    assert ctl(build, daemon, "log-level").stdout == "debug, as configured\n"
    assert ctl(build, daemon, "log-level", "error").stdout.startswith("error until the next reload")
    assert ctl(build, daemon, "log-level", "loud").returncode == 2
    write(daemon)
    assert ctl(build, daemon, "reload").returncode == 0
    assert ctl(build, daemon, "log-level").stdout == "debug, as configured\n"


def test_claimsctl_check_config_runs_claimsd_check(claimsd, build, faults):
    daemon = claimsd(faults.url("echo"), start=False)
    write(daemon)
    words = ("check-config", "--claimsd", build / "daemon" / "claimsd", daemon.config_file)
    done = ctl(build, daemon, *words)
    assert (done.returncode, "valid, 1 upstream(s)" in done.stdout) == (0, True)
    assert json.loads(ctl(build, daemon, *words, "--json").stdout)["valid"] is True
    daemon.tables["cache"]["max_ttk"] = 1
    write(daemon)
    done = ctl(build, daemon, *words)
    assert (done.returncode, "did you mean" in done.stderr) == (78, True)
    assert ctl(build, daemon, "check-config", "--claimsd", "/nowhere", daemon.config_file).returncode == 69
