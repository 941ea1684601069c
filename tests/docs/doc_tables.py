#!/usr/bin/python3
"""Keeps the tables in the documents equal to the tables in the code.

A Markdown document marks a table with `<!-- table: NAME -->` and `<!-- end -->`, a manual page with
`.\\" table: NAME` and `.\\" end`. The text in between is the output of doc_tables for NAME, or is
made from the command line (command_words) or claimsd.h. Each table is in one Markdown document
(DOCUMENTS). `--check` (the default) fails on a difference; `--write` updates the files.
"""
import argparse
import functools
import json
import pathlib
import re
import subprocess
import sys

import roff

ROOT = pathlib.Path(__file__).resolve().parents[2]
MARKDOWN = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
PAGE = re.compile(r'(\.\\" table: (\w+)\n).*?(\.\\" end)', re.DOTALL)
SKIPPED = {"build", "node_modules", ".git"}
MANUAL = ["daemon/claimsd.8", "daemon/claimsd.toml.5", "client/claimsctl/claimsctl.1", "client/libclaimsd.3"]

DOCUMENTS = {
    "options": "daemon/config/OPTIONS.md",
    "renamed_options": "CHANGELOG.md",
    "log_events": "daemon/log/EVENTS.md",
    "metrics": "daemon/admin/METRICS.md",
    "audit_events": "daemon/audit/FORMAT.md",
    "reasons": "proto/PROTOCOL.md",
    "failures": "proto/PROTOCOL.md",
    "messages": "proto/PROTOCOL.md",
    "limits": "proto/PROTOCOL.md",
    "commands": "client/claimsctl/README.md",
    "exits": "client/claimsctl/README.md",
    "checks": "client/claimsctl/README.md",
}


def markdown_table(head, rows):
    def line(cells):
        return "".join("| " + cell.replace("|", "\\|") + " " for cell in cells) + "|\n"

    return line(head) + "|---" * len(head) + "|\n" + "".join(line(row) for row in rows)


def leaves(command, before=""):
    """(name, help) of each command that has no commands below it, with the words that lead to it."""
    for one in command["commands"]:
        name = f"{before}{one['name']}"
        if one["commands"]:
            yield from leaves(one, f"{name} ")
        else:
            yield name, one["help"]


class Tables:
    """The tables in the code, rendered for either kind of document."""

    def __init__(self, program, words):
        self.program = program
        self.words = json.loads(subprocess.run([words], check=True, capture_output=True, text=True).stdout)
        self.header = (ROOT / "client/include/claimsd.h").read_text()

    @functools.cache
    def markdown(self, name):
        from_words = getattr(self, f"markdown_{name}", None)
        if from_words:
            return from_words()
        return subprocess.run([self.program, name], check=True, capture_output=True, text=True).stdout

    def markdown_commands(self):
        return markdown_table(("command", "what it does"), ((f"`{name}`", text) for name, text in leaves(self.words["claimsctl"])))

    def markdown_exits(self):
        return markdown_table(("status", "meaning"), ((str(one["status"]), one["meaning"]) for one in self.words["exits"]))

    def markdown_checks(self):
        return markdown_table(("check", "what it looks at"), ((one["title"], one["looks"]) for one in self.words["checks"]))

    def page(self, name):
        own = getattr(self, f"page_{name}", None)
        return own() if own else roff.table(self.markdown(name), lambda cells: roff.prose(cells[0]))

    def page_options(self):
        return roff.options_of_the_file(self.markdown("options"))

    def page_reasons(self):
        return roff.table(self.markdown("reasons"), lambda cells: f"{roff.prose(cells[1])} ({cells[0]}, {cells[2]})")

    def page_commands(self):
        return "".join(roff.command(one) for one in self.words["claimsctl"]["commands"])

    def page_global_options(self):
        return "".join(roff.option(one) for one in self.words["claimsctl"]["options"])

    def page_exits(self):
        return "".join(roff.item(f"\\fB{one['status']}\\fR", roff.text(one["meaning"]) + ".") for one in self.words["exits"])

    def page_checks(self):
        return "".join(roff.item(f"\\fB{one['title']}\\fR", roff.text(one["looks"]) + ".") for one in self.words["checks"])

    def page_functions(self):
        return roff.functions(self.header)

    def page_types(self):
        return roff.types(self.header)


def documents():
    """Every Markdown document of the project."""
    for path in sorted(ROOT.rglob("*.md")):
        if not SKIPPED.intersection(path.relative_to(ROOT).parts):
            yield path


def fresh_documents(tables):
    """(path, expected content) of every document that holds a table."""
    for name in sorted(set(DOCUMENTS.values())):
        yield ROOT / name, MARKDOWN.sub(lambda found: found[1] + tables.markdown(found[2]) + found[3], (ROOT / name).read_text())
    for name in MANUAL:
        yield ROOT / name, PAGE.sub(lambda found: found[1] + tables.page(found[2]) + found[3], (ROOT / name).read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="the built doc_tables")
    parser.add_argument("--words", required=True, help="the built command_words")
    parser.add_argument("--write", action="store_true", help="write instead of compare")
    arguments = parser.parse_args()
    stale = []
    for path, fresh in fresh_documents(Tables(arguments.program, arguments.words)):
        if fresh == path.read_text():
            continue
        stale.append(path)
        if arguments.write:
            path.write_text(fresh)
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'updated' if arguments.write else 'stale: run tests/docs/doc_tables.py --write'}")
    sys.exit(1 if stale and not arguments.write else 0)


if __name__ == "__main__":
    main()
