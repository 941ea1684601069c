"""Reads the lists of mutants: bugs planted by hand, one at a time. mutants.txt: the pure core. mutants_*.txt: the rest of the tree.

    == name: the bug
    file daemon/claims/cache/freshness.cc
    by sim:life test
    -
    the exact old text
    +
    the new text

`by` lists what must catch it. `sim:NAME`: the simulator, by this invariant alone; `sim`: by any invariant; `test`: claims_test;
`PROGRAM "a test case"`: this test of a program with unit tests; `pytest "tests/x/test_y.py::test_z"`: this test with the daemon,
claimsctl or the Python package that has the bug. A mutant of a header has a line `via FILE`: the source that is compiled with it.
"""

import pathlib
import re
from typing import NamedTuple, Optional

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = pathlib.Path(__file__).parent
INVARIANTS = ROOT / "tests/sim/invariants.h"


class Named(NamedTuple):
    """One test case of `program`, or of pytest."""
    program: str
    case: str


class Mutant(NamedTuple):
    name: str
    what: str
    file: str
    by: tuple  # of words, or one Named
    old: str
    new: str
    via: Optional[str] = None

    @property
    def source(self):
        """The file that is compiled."""
        return self.via or self.file

    @property
    def named(self):
        """The test that must catch it; None: the simulator or claims_test."""
        return self.by[0] if isinstance(self.by[0], Named) else None

    def apply(self, root=ROOT):
        """Returns the mutated text of the file; ValueError unless the old text occurs exactly once."""
        text = (root / self.file).read_text(encoding="utf-8")
        count = text.count(self.old)
        if count != 1:
            raise ValueError(
                f"mutant {self.name}: its old text occurs {count} times in {self.file} instead of once: update the mutant")
        return text.replace(self.old, self.new)


def lists():
    return sorted(FOLDER.glob("mutants*.txt"))


def planted():
    """The mutants whose file exists."""
    return [mutant for mutant in everything() if (ROOT / mutant.file).exists()]


def everything():
    return [mutant for path in lists() for mutant in read(path)]


def catchers(text):
    named = re.fullmatch(r'(\w+) "(.*)"', text)
    return (Named(*named.groups()),) if named else tuple(text.split())


def read(path):
    mutants = []
    for block in re.split(r"^== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        match = re.fullmatch(r"([\w-]+): ([^\n]+)\nfile (\S+)\n(?:via (\S+)\n)?by ([^\n]+)\n-\n(.*?)\n\+\n(.*?)\n*", block, re.DOTALL)
        if not match:
            raise ValueError(f"{path.name}: cannot read the mutant that begins with: {block.splitlines()[0]}")
        name, what, file, via, by, old, new = match.groups()
        mutants.append(Mutant(name, what, file, catchers(by), old, new, via))
    return mutants


def invariants():
    """The names of the simulator's invariants."""
    return re.findall(r"^  I\((\w+),", INVARIANTS.read_text(encoding="utf-8"), flags=re.MULTILINE)
