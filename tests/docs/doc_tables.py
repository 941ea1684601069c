#!/usr/bin/python3
"""Holds the tables in the documents to the tables in the code.

A document marks a table with `<!-- table: NAME -->` and `<!-- end -->`; what stands between them is what the program doc_tables prints for
NAME. `--check` (the default) fails where they differ; `--write` brings the documents up to date.
"""
import argparse
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MARK = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
SKIPPED = {"build", "node_modules", ".git"}


def documents():
    for path in sorted(ROOT.rglob("*.md")):
        if not SKIPPED.intersection(path.relative_to(ROOT).parts):
            yield path


def brought_up_to_date(text, program):
    def table(match):
        printed = subprocess.run([program, match[2]], check=True, capture_output=True, text=True).stdout
        return f"{match[1]}{printed}{match[3]}"

    return MARK.sub(table, text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="the built doc_tables")
    parser.add_argument("--write", action="store_true", help="write instead of compare")
    arguments = parser.parse_args()
    stale, tables = [], 0
    for path in documents():
        text = path.read_text()
        tables += len(MARK.findall(text))
        fresh = brought_up_to_date(text, arguments.program)
        if fresh == text:
            continue
        stale.append(path)
        if arguments.write:
            path.write_text(fresh)
    if tables == 0:
        sys.exit("no table marks in any document: the marks or this script are broken")
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'updated' if arguments.write else 'stale: run tests/docs/doc_tables.py --write'}")
    sys.exit(1 if stale and not arguments.write else 0)


if __name__ == "__main__":
    main()
