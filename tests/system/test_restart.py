"""What survives a restart and what must not."""

import os
import subprocess

import pytest

from tokens import user_of


def restarted(daemon, how):
    if how == "stop":
        daemon.stop()
    else:
        daemon.kill()
    return daemon.start()


@pytest.mark.parametrize("how", ["stop", "SIGKILL"])
def test_the_cache_survives(claimsd, peer, faults, how):
    daemon = claimsd(faults.url("echo"))
    tokens = [f"token-{number}" for number in range(100)]
    peer(daemon).ask_all(tokens)
    restarted(daemon, how)
    answers = peer(daemon).ask_all(tokens)
    assert [answer.id for answer in answers] == [user_of(token) for token in tokens]
    assert {answer.source for answer in answers} == {"cache"}
    assert faults.count("echo") == 100


def test_ttl_and_age_keep_counting_while_the_daemon_is_down(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    first = peer(daemon).ask("token")
    daemon.restart()
    second = peer(daemon).ask("token")
    assert second.ttl_ms < first.ttl_ms
    assert second.age_ms > first.age_ms


def test_a_worker_does_not_notice_a_restart(claimsd, worker, faults):
    daemon = claimsd(faults.url("echo"))
    asker = worker(daemon, "ask")
    assert asker.ask("token").verdict == "valid"
    for how in ("stop", "SIGKILL"):
        restarted(daemon, how)
        assert asker.ask("token").verdict == "valid"
        assert asker.ask("another-" + how).verdict == "valid"


def asked_again(daemon, peer, faults, count):
    assert peer(daemon).ask("token").source == "upstream"
    assert faults.count("echo") == count


def test_a_new_host_key_empties_the_cache(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    peer(daemon).ask("token")
    daemon.stop()
    daemon.key_file.unlink()
    daemon.start()
    asked_again(daemon, peer, faults, 2)


def test_a_new_upstream_url_empties_the_cache(claimsd, peer, faults):
    daemon = claimsd(faults.url("401"))
    daemon.stop()
    daemon.tables["upstream.main"]["url"] = faults.url("ok")
    daemon.start()
    assert peer(daemon).ask("token").id == "user-123"
    daemon.stop()
    daemon.tables["upstream.main"]["url"] = faults.url("echo")
    daemon.start()
    assert peer(daemon).ask("token").id == user_of("token")
    assert faults.count("echo") == 1


def may_mount():
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not may_mount(), reason="needs root")
def test_a_reboot_empties_the_cache(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    peer(daemon).ask("token")
    daemon.stop()
    other_boot = daemon.root / "boot_id"
    other_boot.write_text("01234567-89ab-cdef-0123-456789abcdef\n")
    script = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'
    daemon.start(prefix=["unshare", "--mount", "sh", "-c", script, str(other_boot)])
    asked_again(daemon, peer, faults, 2)


def test_a_damaged_cache_is_refilled_and_never_gives_a_wrong_answer(claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    peer(daemon).ask("token")
    daemon.stop()
    (data,) = [path for path in daemon.cache.iterdir() if path.stat().st_size > 4096]
    data.write_bytes(b"\xa5" * data.stat().st_size)
    daemon.start()
    assert peer(daemon).ask("token").id == user_of("token")
    assert faults.count("echo") == 2
