"""Processes forked from one that has used a client, as with gunicorn --preload."""

import subprocess

from spinners import tell_tokens
from tokens import jwt


def test_64_preforked_workers_each_get_their_own_answers(claimsd, build, faults):
    daemon = claimsd(faults.url("echo"), cache={"lease": "60s"})
    tokens = [jwt(sub=f"user-{number}") for number in range(32)]
    command = [str(build / "tests" / "system" / "claimsd_spinner"), str(daemon.socket), "prefork", "64"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        tell_tokens(process, tokens)
        out, _ = process.communicate("go\ngo\n", timeout=120)
    assert process.returncode == 0
    assert out.splitlines() == ["loaded", "ready", "64\tparent goes on"]
    assert daemon.counter("upstream_requests") == len(tokens)
