"""The documents are true to each other and to the code: links, tables, lengths. docs_tables_match_the_code checks the tables' contents."""

import pathlib
import re
import sys

import pytest

from doc_tables import DOCUMENTS, MARKDOWN, ROOT, documents

sys.path.append(str(ROOT / "tests" / "machine"))

import suites  # noqa: E402

ALL = list(documents())
LONGEST = {"README.md": 150, "ARCHITECTURE.md": 120}
RELEASE = {"bookworm": "Debian 12 (bookworm)", "trixie": "Debian 13 (trixie)"}


def name_of(path):
    return str(path.relative_to(ROOT))


def without_code(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_every_link_has_a_target(path):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", without_code(path.read_text()))
    assert [link for link in links if not re.match(r"https?://", link) and not (path.parent / link).exists()] == []


def headings(path):
    """The anchors of a document's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", without_code(path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("path", ALL, ids=name_of)
def test_every_link_to_a_heading_finds_it(path):
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", without_code(path.read_text()))
    assert [link for link in links if link[1] not in headings(path.parent / link[0] if link[0] else path)] == []


def test_each_generated_table_is_in_its_one_document():
    found = [(name, name_of(path)) for path in ALL for _, name, _ in MARKDOWN.findall(path.read_text())]
    assert sorted(found) == sorted(DOCUMENTS.items())


@pytest.mark.parametrize("name, most", LONGEST.items())
def test_the_first_documents_are_short(name, most):
    assert len((ROOT / name).read_text().splitlines()) <= most


@pytest.mark.parametrize("name", ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"])
def test_every_path_in_the_document_exists(name):
    text = without_code((ROOT / name).read_text())
    paths = set(re.findall(r"`((?:proto|client|daemon|systemd|tests|cmake)/[\w./-]*)`", text)) - {"tests/NAME/", "daemon/NAME/"}
    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).exists() and not list((ROOT / path).parent.glob(pathlib.Path(path).name + ".*"))] == []


def options():
    """{table: its options}, from the table of options."""
    found = re.split(r"^### `\[(.*)\]`$", (ROOT / "daemon/config/OPTIONS.md").read_text(), flags=re.MULTILINE)[1:]
    return {table: set(re.findall(r"^\| `(\w+)` \|", rows, re.MULTILINE)) for table, rows in zip(found[::2], found[1::2])}


def named_options(text):
    """(table, option) of each name such as `cache.key_file` or `upstream.main.url`. Files such as audit.cc have such names, too."""
    tables = r"daemon|cache|limits|revocations|audit|log|http|fleet|upstream\.\w+|http\.gate\.\w+"
    for table, option in re.findall(rf"(?<![\w./-])({tables})\.(\w+)\b(?![/.\w-])", text):
        if not re.fullmatch("cc|h|md|toml|json|sock|service|socket|gate", option):
            yield re.sub(r"^(upstream|http\.gate)\..*", r"\1.NAME", table), option


# Both list the names that options had.
OLD_NAMES = {"CHANGELOG.md", "daemon/config/renamed_options.h"}


def test_every_option_that_a_document_or_a_message_names_exists():
    known = options()
    texts = {path: "\n".join(re.findall(r"`[^`]*`", path.read_text())) for path in ALL}
    for folder in ("daemon", "client"):
        for path in (*(ROOT / folder).rglob("*.cc"), *(ROOT / folder).rglob("*.h")):
            texts[path] = "\n".join(re.findall(r'"(?:[^"\\]|\\.)*"', path.read_text()))
    named = [(name_of(path), table, option) for path, text in texts.items() for table, option in named_options(text)]
    assert len(named) > 200
    assert [one for one in named if one[2] not in known[one[1]] and one[0] not in OLD_NAMES] == []


def test_the_supported_platforms_are_those_that_dev_tests():
    (section,) = re.findall(r"^## Supported platforms\n(.*?)^## ", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    tested = {platform: status for platform, status in re.findall(r"^\| (.*?) \| (tested: .*?) \|$", section, re.MULTILINE)}
    assert set(tested) == {f"{RELEASE[suite]}, amd64" for suite in suites.SUPPORTED}
    for suite in suites.SUPPORTED[1:]:
        assert f"`./dev --on {suite} test`" in tested[f"{RELEASE[suite]}, amd64"]


@pytest.mark.parametrize("page, header, constant", [
    ("proto/PROTOCOL.md", "proto/messages.h", "kVersion"),
    ("proto/SHM.md", "proto/shm_layout.h", "kMapVersion"),
    ("daemon/audit/FORMAT.md", "daemon/audit/segment.cc", "kSegmentVersion")])
def test_each_format_is_described_in_the_version_that_the_code_has(page, header, constant):
    described, = re.findall(r"^# .*, version (\d+)$", (ROOT / page).read_text(), re.MULTILINE)
    written, = re.findall(rf"\b{constant} = (\d+);", (ROOT / header).read_text())
    assert described == written
