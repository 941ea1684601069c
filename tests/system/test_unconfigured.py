"""A daemon without the URL of an Auth API starts, says what to set, and serves after a reload."""

import json
import re
import signal

import pytest

from daemon import StartFailed
from held_sockets import FAST, HeldSockets, asked
from peer import until

MISSING = "not configured: set upstream.main.url in"


@pytest.fixture(params=[{}, {"upstream.main": {}}, {"upstream.main": {"url": ""}}], ids=["no-table", "no-option", "empty"])
def unconfigured(claimsd, request):
    daemon = claimsd(start=False, **request.param)
    with HeldSockets(daemon) as held:
        held.start()
        yield daemon, held


def set_url(daemon, faults):
    directory = daemon.root / "conf.d"
    directory.mkdir(exist_ok=True)
    (directory / "main.toml").write_text(f'[upstream.main]\nurl = "{faults.url("echo")}"\n')


def test_a_query_is_answered_with_the_option_to_set(unconfigured, worker, claimsctl):
    daemon, held = unconfigured
    for _ in range(3):
        answer, took = asked(worker, daemon)
        assert (answer.verdict, answer.reason) == ("unavailable", "not_configured") and took < FAST
    said = claimsctl(daemon, "status")
    assert said.returncode == 69
    assert f"{MISSING} {daemon.config_file}" in said.stderr and "systemctl reload claimsd" in said.stderr
    assert held.process.poll() is None


def test_a_reload_with_a_url_serves_without_a_restart(unconfigured, worker, faults, claimsctl):
    daemon, held = unconfigured
    refused = claimsctl(daemon, "reload")
    assert refused.returncode == 78 and re.search("url|no Auth API", refused.stderr)
    assert asked(worker, daemon)[0].reason == "not_configured"
    set_url(daemon, faults)
    done = claimsctl(daemon, "reload")
    assert done.returncode == 0 and "upstream.main.url: not set ->" in done.stdout, done.stderr
    assert asked(worker, daemon)[0].verdict == "valid"
    assert json.loads(claimsctl(daemon, "status", "--json").stdout)["pid"] == held.process.pid


def test_a_hangup_signal_reloads(unconfigured, worker, faults):
    daemon, held = unconfigured
    assert asked(worker, daemon)[0].reason == "not_configured"
    held.process.send_signal(signal.SIGHUP)
    until(lambda: "reload by SIGHUP failed" in daemon.log(), "it reads the file again")
    set_url(daemon, faults)
    held.process.send_signal(signal.SIGHUP)
    assert asked(worker, daemon)[0].verdict == "valid"


def test_a_stop_signal_ends_it(unconfigured, worker):
    daemon, held = unconfigured
    assert asked(worker, daemon)[0].reason == "not_configured"
    held.process.terminate()
    assert held.process.wait(30) == 0


def test_by_hand_it_is_an_error(claimsd):
    """Without sockets that are held open, no query would ever start it again."""
    daemon = claimsd(start=False)
    with pytest.raises(StartFailed, match="no Auth API is configured") as failed:
        daemon.start()
    assert failed.value.code == 78
