"""README.md is correct: its snippets compile, its configuration is valid, its exit codes are
complete."""

import pathlib
import re
import subprocess

import pytest

from daemon import run_check

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language):
    found = re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert found
    return found


@pytest.mark.parametrize("language, compiler", [
    ("cpp", ["g++", "-std=c++20", "-xc++"]), ("c", ["gcc", "-std=c99", "-pedantic", "-xc"])])
def test_the_worker_compiles_without_a_warning(language, compiler):
    strict = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{ROOT / 'client' / 'include'}"]
    for text in blocks(language):
        done = subprocess.run([*compiler, *strict, "-"], input=text, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


def test_the_configuration_is_valid(build, scratch):
    file = scratch() / "claimsd.toml"
    (text,) = blocks("toml")
    file.write_text(text)
    code, said = run_check(build / "daemon" / "claimsd", file)
    assert code == 0, said
    assert said.split(": ", 1)[1].strip() in README


def test_the_exit_codes_are_those_of_claimsctl(build):
    done = subprocess.run([str(build / "client" / "claimsctl" / "claimsctl"), "--help"], capture_output=True, text=True)
    documented = set(re.findall(r"^  (\d+) ", done.stdout, re.MULTILINE))
    assert documented == set(re.findall(r"^\| (\d+) \|", README, re.MULTILINE))


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_every_link_has_a_target(link):
    assert (ROOT / link).exists()


def words(text):
    """The words on a screen, without its numbers."""
    return set(re.findall(r"[A-Za-z][a-z]+", re.sub(r"[0-9][0-9,.]* (?:µs|ms|s|min|MiB)", "", text)))


def test_the_screen_of_top_is_what_top_prints(build, claimsd, peer, faults):
    daemon = claimsd(faults.url("echo"))
    peer(daemon).ask("token")
    command = [build / "client" / "claimsctl" / "claimsctl", "--admin-socket", daemon.admin_socket, "top", "--once"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=30).stdout
    (documented,) = re.findall(r"^\$ sudo claimsctl top\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
    assert words(documented) - {"hits"} == words(shown) - {"hits"}
    assert [len(line.split()) > 0 for line in documented.splitlines()] == [len(line.split()) > 0 for line in shown.splitlines()]
