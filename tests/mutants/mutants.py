"""Reads mutants.txt: bugs planted by hand in the core, one at a time.

    == name: the bug
    file daemon/claims/cache/freshness.cc
    by sim:life test
    -
    the exact old text
    +
    the new text

`by` lists what must catch it. `sim:NAME`: the simulator, by this invariant alone; `sim`: by any invariant;
`test`: claims_test.
"""

import pathlib
import re
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = pathlib.Path(__file__).with_name("mutants.txt")
INVARIANTS = ROOT / "tests/sim/invariants.h"


class Mutant(NamedTuple):
    name: str
    what: str
    file: str
    by: tuple
    old: str
    new: str

    def apply(self, root=ROOT):
        """Returns the mutated text of the file; ValueError unless the old text occurs exactly once."""
        text = (root / self.file).read_text(encoding="utf-8")
        count = text.count(self.old)
        if count != 1:
            raise ValueError(
                f"mutant {self.name}: its old text occurs {count} times in {self.file} instead of once: update the mutant")
        return text.replace(self.old, self.new)


def planted(path=LIST):
    """The mutants whose file exists."""
    return [mutant for mutant in read(path) if (ROOT / mutant.file).exists()]


def read(path=LIST):
    mutants = []
    for block in re.split(r"^== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        match = re.fullmatch(r"([\w-]+): ([^\n]+)\nfile (\S+)\nby ([^\n]+)\n-\n(.*?)\n\+\n(.*?)\n*", block, re.DOTALL)
        if not match:
            raise ValueError(f"{path.name}: cannot read the mutant that begins with: {block.splitlines()[0]}")
        name, what, file, by, old, new = match.groups()
        mutants.append(Mutant(name, what, file, tuple(by.split()), old, new))
    return mutants


def invariants():
    """The names of the simulator's invariants."""
    return re.findall(r"^  I\((\w+),", INVARIANTS.read_text(encoding="utf-8"), flags=re.MULTILINE)
