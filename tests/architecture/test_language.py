"""Comments, messages, test names and documents are plain English: words that hide who does what are refused (CONTRIBUTING.md)."""

import os
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT = {".1", ".3", ".5", ".7", ".8", ".bash", ".c", ".cc", ".cfg", ".cmake", ".conf", ".css", ".fish", ".go", ".h", ".hpp", ".html", ".in", ".js",
        ".json", ".lua", ".map", ".md", ".php", ".postinst", ".postrm", ".prerm", ".py", ".pyi", ".service", ".sh", ".socket", ".sysusers",
        ".tmpfiles", ".toml", ".ts", ".tsx", ".txt", ".yaml", ".yml", ""}
SKIPPED = {"build", "node_modules", ".git", ".pytest_cache", "__pycache__"}
GENERATED = {"package-lock.json"}
REFUSED = re.compile(r"\b(whoever|nobody|somebody|anew|mend(?:s|ed|ing)?|told)\b|\ban own\b", re.IGNORECASE)
PARTS = ("whoever", "nobody", "somebody", "anew", "mend", "told", "an own")  # one is in each refused word: quick to look for
# The system user of that name, which is uid 65534.
SYSTEM_USER = re.compile(r"""["'`]nobody["'`]|\b(?:user|uid|owner|group|--reuid|reuid|chown|setpriv)[ =:"']+nobody\b|\bnobody:|\bnobody\(65534\)|\bsystem user\b""")


def texts():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(set(folders) - SKIPPED)
        for name in sorted(set(names) - GENERATED):
            path = pathlib.Path(folder, name)
            if path.suffix in TEXT and path.is_file() and path != pathlib.Path(__file__).resolve():
                yield path


def refused(text):
    """(line number, word) of each refused word in `text`."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        lower = line.lower()
        if not any(part in lower for part in PARTS):
            continue
        for match in REFUSED.finditer(line):
            if match.group(0).lower() != "nobody" or not SYSTEM_USER.search(line):
                found.append((number, match.group(0)))
    return found


def test_the_rule_knows_the_words_and_the_system_user():
    assert refused("Whoever asks is told.\nchown nobody:nogroup\nuser nobody\nnobody knows\nhas an own thread") == [
        (1, "Whoever"), (1, "told"), (4, "nobody"), (5, "an own")]


def test_no_refused_word_is_left():
    found = [f"{path.relative_to(ROOT)}:{number}: {word}" for path in texts() for number, word in refused(path.read_text(encoding="utf-8", errors="replace"))]
    assert found == [], "\n".join(found)
