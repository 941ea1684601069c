"""claimsctl's completions in the real shells. They are generated when claimsctl is built."""

import os
import pathlib
import pty
import select
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("CLAIMSD_BUILD_DIR", ROOT / "build" / "dev"))
FOLDER = BUILD / "client" / "claimsctl" / "completions"
PATIENCE = 30

# Typed text, completions that must appear, completions that must not.
CASES = [
    ("claimsctl ", {"status", "doctor", "check-config", "audit"}, {"--json", "tail"}),
    ("claimsctl st", {"status", "statistics"}, {"doctor"}),
    ("claimsctl --", {"--json", "--admin-socket", "--version"}, {"--token-file", "status"}),
    ("claimsctl query --", {"--token-file", "--max-age", "--json"}, {"--lock"}),
    ("claimsctl --json query --", {"--token-file"}, {"--lock"}),
    ("claimsctl --admin-socket /x revoke --", {"--lock", "--for"}, {"--token-fileX", "--max-age"}),
    ("claimsctl log-level ", {"debug", "info", "warning", "error"}, {"status"}),
    ("claimsctl audit ", {"tail", "verify", "export"}, {"status"}),
    ("claimsctl audit export --format ", {"jsonl", "ecs", "ocsf", "csv"}, {"tail"}),
    ("claimsctl audit search --v", {"--verdict"}, {"--anchors"}),
    ("claimsctl doctor --worker ro", {"root"}, {"status"}),
    ("claimsctl revoke --user ", set(), {"status", "--lock"}),
]


def said_by(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd="/")
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return {line.split("\t")[0].strip() for line in done.stdout.splitlines()}


BASH = """source "$1"; set -f; COMP_WORDS=($2); [[ $2 == *' ' ]] && COMP_WORDS+=(''); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
set +f; COMP_LINE=$2; COMP_POINT=${#2}; [[ $(complete -p claimsctl) == *"-F _claimsctl claimsctl" ]] || exit 1
_claimsctl; printf '%s\\n' "${COMPREPLY[@]}\""""


@pytest.mark.parametrize("typed, wanted, unwanted", CASES)
def test_bash_completes_commands_and_options(typed, wanted, unwanted):
    given = said_by("bash", "--norc", "-c", BASH, "bash", FOLDER / "claimsctl.bash", typed)
    assert wanted <= given and not unwanted & given


@pytest.mark.parametrize("typed, wanted, unwanted", CASES)
def test_fish_completes_commands_and_options(typed, wanted, unwanted):
    given = said_by("fish", "--no-config", "-c", f"source {FOLDER / 'claimsctl.fish'}; complete -C '{typed}'")
    assert wanted <= given and not unwanted & given


def typed_into(shell, tmp_path, keys, shown):
    """Types into a shell on a terminal until it shows `shown`; returns the terminal's text."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir("/")
        os.execvpe(shell[0], shell, {"PATH": os.environ["PATH"], "TERM": "dumb", "HOME": str(tmp_path), "PS1": "ready> "})
    seen, sent = b"", False
    end = time.monotonic() + PATIENCE
    try:
        while shown not in seen and time.monotonic() < end:
            if select.select([terminal], [], [], 1)[0]:
                seen += os.read(terminal, 4096)
            if not sent and b"ready> " in seen:
                os.write(terminal, keys)
                sent, seen = True, b""
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    return shown in seen, seen


def test_bash_completes_on_a_terminal(tmp_path):
    (tmp_path / "rc").write_text(f"source {FOLDER / 'claimsctl.bash'}\nPS1='ready> '\n")
    found, seen = typed_into(["bash", "--rcfile", str(tmp_path / "rc"), "-i"], tmp_path, b"claimsctl rel\t--js\t", b"claimsctl reload --json")
    assert found, seen


def test_zsh_completes_on_a_terminal(tmp_path):
    (tmp_path / ".zshrc").write_text(f"fpath=({FOLDER} $fpath)\nautoload -Uz compinit\ncompinit -u -D\nPS1='ready> '\n")
    for typed, shown in ((b"claimsctl rel\t", b"reload"), (b"claimsctl audit veri\t", b"verify"), (b"claimsctl query --max\t", b"--max-age"),
                         (b"claimsctl log-level warn\t", b"warning")):
        found, seen = typed_into(["zsh", "-i"], tmp_path, typed, shown)
        assert found, seen
