#!/usr/bin/python3
"""Checks the rules of include_rules.py over a tree: `check_includes.py [ROOT]`. Prints FILE:LINE: what, exits 1 if any."""

import fnmatch
import pathlib
import re
import sys

import include_rules

SOURCES = (".cc", ".h", ".hpp", ".c")
COUNTED = SOURCES + (".py", ".sh", ".cmake")
LINTED_FOLDERS = ("proto", "client", "daemon")
COUNTED_FOLDERS = LINTED_FOLDERS + ("tests", "cmake", "systemd", ".ci")
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>|(\S+))')
# Where others were made before it in the same expression: base/result.h.
TRY_AMONG_OTHERS = re.compile(r"[,{]\s*(\.\w+ = )?TRY\(|^\s*,?\s*\.\w+ = TRY\(")
PUBLIC_HEADERS = "client/include/"


def matches(path, pattern):
    return fnmatch.fnmatchcase(path, pattern)


def layer_of(path):
    return next((layer for layer in include_rules.LAYERS if matches(path, layer.pattern)), None)


def library_of(header):
    for name, patterns in include_rules.LIBRARIES.items():
        if any(matches(header, pattern) for pattern in patterns):
            return name
    return "std" if "." not in header and "/" not in header else None


def check_project_include(root, path, layer, target):
    """A quoted include: its text is the path from the root, or the name of a public header."""
    if not (root / target).is_file() and not (root / f"{target}.in").is_file():  # .in: made by CMake
        if (root / PUBLIC_HEADERS / target).is_file():
            target = PUBLIC_HEADERS + target
        else:
            return f'"{target}" is no file of this project: write the path from the root'
    owner = layer_of(target)
    if owner is None:
        return f'"{target}" belongs to no layer and may not be included from one'
    if owner.folder != layer.folder and owner.folder not in layer.layers:
        return f"{layer.folder} may not include {owner.folder} ({target})"
    for (pattern, folder), doors in include_rules.ONLY.items():
        if owner.folder == folder and matches(path, pattern) and target not in doors:
            return f"of {folder} only {', '.join(doors)} may be included here ({target})"
    return None


def check_library_include(root, layer, path, header):
    if (root / PUBLIC_HEADERS / header).is_file():
        return check_project_include(root, path, layer, PUBLIC_HEADERS + header)
    library = library_of(header)
    if library is None:
        return f"<{header}> is in no row of the include rules: add its library, and who may use it"
    if library not in layer.libraries:
        return f"{layer.pattern} may not include {library} (<{header}>)"
    return None


def check_file(root, path):
    layer = layer_of(path)
    if layer is None:
        yield 1, "belongs to no layer: add a row to the include rules"
        return
    reads_clock = any(matches(path, pattern) for pattern in include_rules.CLOCK_READERS)
    for number, line in enumerate((root / path).read_text(encoding="utf-8").splitlines(), 1):
        found = INCLUDE.match(line)
        if found:
            quoted, angled, other = found.groups()
            if other:
                problem = "an include is a plain name in quotes or angle brackets"
            elif quoted:
                problem = check_project_include(root, path, layer, quoted)
            else:
                problem = check_library_include(root, layer, path, angled)
            if problem:
                yield number, problem
        elif TRY_AMONG_OTHERS.search(line.split("//")[0]):
            yield number, "TRY beside other parts of an expression leaks them: give its value a name first (daemon/base/result.h)"
        elif not reads_clock and re.search(include_rules.CLOCK_CALLS, line.split("//")[0]):
            yield number, "reads a clock: have it passed in (daemon/base/clock.h)"


def files_in(root, folders, suffixes):
    for folder in folders:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix in suffixes and file.is_file():
                yield file.relative_to(root).as_posix()


def violations(root):
    """Every breach of the rules below `root`, as "file:line: what"."""
    root = pathlib.Path(root)
    for path in files_in(root, LINTED_FOLDERS, SOURCES):
        for line, problem in check_file(root, path):
            yield f"{path}:{line}: {problem}"
    for path in files_in(root, COUNTED_FOLDERS, COUNTED):
        lines = len((root / path).read_text(encoding="utf-8").splitlines())
        if lines > include_rules.MAX_LINES:
            yield f"{path}:{lines}: {lines} lines, allowed are {include_rules.MAX_LINES}: it is two ideas"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[2])
    if not any(files_in(root, LINTED_FOLDERS, SOURCES)):
        sys.exit(f"{root}: no sources below {', '.join(LINTED_FOLDERS)}; give the root of a checkout")
    found = list(violations(root))
    print("\n".join(found) if found else "the include rules hold")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
