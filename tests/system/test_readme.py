"""The documents are correct: their examples compile and run, their configuration is valid, their
screens have the program's words. Links and tables: tests/docs/test_documents.py."""

import os
import pathlib
import re
import subprocess

import pytest

from daemon import run_check

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
OPERATIONS = (ROOT / "daemon" / "OPERATIONS.md").read_text()
OPTIONS = (ROOT / "daemon" / "config" / "OPTIONS.md").read_text()
CLAIMSCTL = (ROOT / "client" / "claimsctl" / "README.md").read_text()

LANGUAGES = {"cpp": ["g++", "-std=c++20", "-xc++"], "c": ["gcc", "-std=c99", "-pedantic", "-xc"]}
# The worker finds the daemon where it is on a host: at /run/claimsd, mounted read-only as in a container.
HOST = """set -e
mount -t tmpfs tmpfs /run
mkdir /run/claimsd
mount --bind "$1" /run/claimsd
mount -o remount,bind,ro /run/claimsd
shift
exec "$@"
"""


def example(language, text=README):
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return found


def sanitizers(build):
    found = re.search(r"^CLAIMSD_SANITIZE:STRING=(.+)$", (build / "CMakeCache.txt").read_text(), re.MULTILINE)
    return [f"-fsanitize={found[1]}"] if found else []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_worker_compiles_without_a_warning_and_gets_its_answers(build, scratch, claimsd, auth_api, language):
    folder = scratch()
    library = build / "client" / "src"
    command = [*LANGUAGES[language], "-Wall", "-Wextra", "-Werror", *sanitizers(build), f"-I{ROOT / 'client' / 'include'}", "-", "-o", folder / "worker",
               f"-L{library}", "-lclaimsd", f"-Wl,-rpath,{library}"]
    done = subprocess.run(command, input=example(language), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    if os.geteuid() != 0:
        pytest.skip("needs root")
    daemon = claimsd(auth_api.url)
    (daemon.root / "claims.sock").symlink_to(daemon.socket.name)

    def run(token):
        host = ["unshare", "--mount", "sh", "-c", HOST, "sh", daemon.root, folder / "worker"]
        return subprocess.run(host, input=token + "\n", capture_output=True, text=True, timeout=60)

    allowed = run(auth_api.login("tess"))
    assert (allowed.returncode, allowed.stdout) == (0, "hello, tess@example.com\n"), allowed.stderr
    assert run("not-a-token").returncode == 1


def test_the_configuration_is_valid_and_check_says_what_the_document_shows(build, scratch):
    file = scratch() / "claimsd.toml"
    file.write_text(example("toml", OPTIONS))
    code, said = run_check(build / "daemon" / "claimsd", file)
    assert code == 0, said
    assert said.split(str(file))[1].strip() in OPERATIONS


def words(text):
    """The words on a screen, without its numbers."""
    return set(re.findall(r"[A-Za-z][a-z]+", re.sub(r"[0-9][0-9,.]* (?:µs|ms|s|min|MiB)", "", text)))


def test_the_screen_of_top_is_what_top_prints(build, claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    peer(daemon).ask("token")
    command = [build / "client" / "claimsctl" / "claimsctl", "--admin-socket", daemon.admin_socket, "top", "--once"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout
    (screen,) = re.findall(r"^\$ sudo claimsctl top\n(.*?)^```$", CLAIMSCTL, re.DOTALL | re.MULTILINE)
    assert words(screen) - {"hits"} == words(shown) - {"hits"}
    assert [len(line.split()) > 0 for line in screen.splitlines()] == [len(line.split()) > 0 for line in shown.splitlines()]
