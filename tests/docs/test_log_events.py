"""Every event that the source logs has a row in the table, and every row is logged somewhere."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROW = re.compile(r'^  \{"(\w+)", "(\w+)", (?:true|false), "', re.MULTILINE)
CALL = re.compile(r'\blog_?(?:\(\))?(?:\.|->)(debug|info|warning|error)\(\s*"(\w+)"|\bto_\.(warning)\("(\w+)"')
WRITE = re.compile(r'\bwrite\(LogLevel::k(\w+),\s*"(\w+)"')
# Orders are logged by the name of the order: daemon.cc, acknowledged().
BY_NAME = {("info", "purged"), ("info", "revoked")}


def logged():
    found = set(BY_NAME)
    for path in (ROOT / "daemon").rglob("*"):
        if path.suffix not in (".cc", ".h"):
            continue
        text = path.read_text(encoding="utf-8")
        for level, event, other_level, other in CALL.findall(text):
            found.add((level or other_level, event or other))
        found.update((level.lower(), event) for level, event in WRITE.findall(text))
    return found


def test_the_table_and_the_source_name_the_same_events():
    rows = {(level, event) for event, level in ROW.findall((ROOT / "daemon/log/log_events.h").read_text(encoding="utf-8"))}
    assert len(rows) > 30
    assert logged() - rows == set(), "logged, but in no row"
    assert rows - logged() == set(), "a row, but logged nowhere"
