#!/usr/bin/python3
"""Keeps the tables in the documents equal to the tables in the code.

A Markdown document marks a table with `<!-- table: NAME -->` and `<!-- end -->`, a manual page with
`.\\" table: NAME` and `.\\" end`. The text in between is the output of doc_tables for NAME, or is
made from the command line (command_words) or claimsd.h.
`--check` (the default) fails on a difference; `--write` updates the files.
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


class Tables:
    """The tables in the code, rendered for either kind of document."""

    def __init__(self, program, words):
        self.program = program
        self.words = json.loads(subprocess.run([words], check=True, capture_output=True, text=True).stdout)
        self.header = (ROOT / "client/include/claimsd.h").read_text()

    @functools.cache
    def markdown(self, name):
        return subprocess.run([self.program, name], check=True, capture_output=True, text=True).stdout

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


def fresh_documents(tables):
    """(path, expected content, number of marked tables)."""
    for path in sorted(ROOT.rglob("*.md")):
        if not SKIPPED.intersection(path.relative_to(ROOT).parts):
            yield path, *MARKDOWN.subn(lambda found: found[1] + tables.markdown(found[2]) + found[3], path.read_text())
    for name in MANUAL:
        yield ROOT / name, *PAGE.subn(lambda found: found[1] + tables.page(found[2]) + found[3], (ROOT / name).read_text())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="the built doc_tables")
    parser.add_argument("--words", required=True, help="the built command_words")
    parser.add_argument("--write", action="store_true", help="write instead of compare")
    arguments = parser.parse_args()
    stale, marked = [], 0
    for path, fresh, marks in fresh_documents(Tables(arguments.program, arguments.words)):
        marked += marks
        if path.exists() and fresh == path.read_text():
            continue
        stale.append(path)
        if arguments.write:
            path.write_text(fresh)
    if marked == 0:
        sys.exit("no table marks in any document: the marks or this script are broken")
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'updated' if arguments.write else 'stale: run tests/docs/doc_tables.py --write'}")
    sys.exit(1 if stale and not arguments.write else 0)


if __name__ == "__main__":
    main()
