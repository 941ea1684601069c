"""`./dev demo --lumen`: starts, obeys commands, and leaves nothing behind, however it ends."""

import json
import os
import pathlib
import re
import signal
import subprocess
import urllib.error
import urllib.request

import pytest

from conftest import BUILD, FRONT_END, HERE

DEMO = ["/usr/bin/python3", "-B", str(HERE / "lumen_demo.py"), "--build", str(BUILD), "--front-end", str(FRONT_END)]


@pytest.fixture
def demo(tmp_path_factory):
    """The demo once it is ready; its address and the directory of all its files."""
    directory = tmp_path_factory.mktemp("d")
    process = subprocess.Popen(
        DEMO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(directory)}, start_new_session=True)
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("Ctrl-C"):
            break
    yield process, "".join(said), directory
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def processes_of(directory):
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if str(directory).encode() in (process / "cmdline").read_bytes() + (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes())
        except OSError:
            pass  # it has ended
    return found


def post(url, body):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=30))


def get(url, token):
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"}), timeout=30)
    except urllib.error.HTTPError as error:
        return error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_serves_its_users_obeys_commands_and_leaves_nothing_behind(demo, number):
    process, said, directory = demo
    url = re.search(r"Lumen runs at  (http://127\.0\.0\.1:\d+)\n", said).group(1)
    username, password = re.search(r"^  (dana) +(\S+) +doctor", said, re.MULTILINE).groups()
    access = post(f"{url}/auth/token/", {"username": username, "password": password})["access"]
    assert json.load(get(f"{url}/api/worklist/", access))["rows"] and json.load(get(f"{url}/notices/", access))["notices"]
    assert b"<title>Lumen</title>" in urllib.request.urlopen(url, timeout=30).read()
    for order, answer in (("revoke dana", "revoked"), ("nonsense", "Commands, to try"), ("revoke unknown", "revoke:")):
        process.stdin.write(order + "\n")
        process.stdin.flush()
        assert any(answer in line for line in process.stdout), answer  # up to the first such line
    assert [get(f"{url}{path}", access).status for path in ("/api/worklist/", "/notices/")] == [401, 401]
    assert any(b"nginx" in command for command in processes_of(directory))
    os.killpg(process.pid, number)  # like Ctrl-C on a terminal
    rest = process.communicate(timeout=60)[0]
    assert process.returncode == (0 if number == signal.SIGINT else 128 + number)
    assert "eyJ" not in said + rest
    assert processes_of(directory) == []
    assert list(directory.iterdir()) == []
