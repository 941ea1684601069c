#!/usr/bin/python3
"""Runs clang-tidy on all shipped sources, in parallel: `tidy.py BUILD_DIR STAMP_DIR`.

A clean file is not checked again until one of these changes: its text, a project header it includes, its compile command,
.clang-tidy, or clang-tidy itself. The name of a clean file's stamp is the hash of all of them.
"""

import concurrent.futures
import hashlib
import itertools
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

FOLDERS = ("proto", "client/src", "client/claimsctl", "daemon")
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
TIDY = "clang-tidy"
CONFIG = pathlib.Path(__file__).resolve().parents[1] / ".clang-tidy"
MAX_BATCH = 16


def included(root, path, seen):
    """`path` and every project header it includes, directly or indirectly."""
    if path in seen or not path.is_file():
        return
    seen.add(path)
    for name in INCLUDE.findall(path.read_bytes()):
        included(root, root / name.decode(), seen)


def fingerprint(root, command, common):
    seen = set()
    included(root, pathlib.Path(command["file"]), seen)
    digest = hashlib.sha256(common + command["command"].encode())
    for path in sorted(seen):
        digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def commands(root, build):
    """One compile command per shipped source."""
    wanted = {}
    for command in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        file = pathlib.Path(command["file"])
        if file.is_relative_to(root) and file.relative_to(root).as_posix().startswith(FOLDERS):
            wanted.setdefault(file, command)
    return [wanted[file] for file in sorted(wanted)]


def flags_of(command):
    """How a file is compiled, without its names and without precompiled headers, which only the build's compiler can read."""
    words = iter(shlex.split(command["command"].split(" ", 1)[1]))
    flags = []
    for word in words:
        if word in ("-o", "-c", "-MT", "-MF", "-include"):
            next(words)
        elif word.startswith("-") and word not in ("-MD", "-Winvalid-pch"):
            flags.append(word)
    return flags


def batches(todo):
    """Files of one directory that are compiled alike, up to MAX_BATCH together."""
    alike = {}
    for command in todo:
        key = (command["directory"], pathlib.Path(command["file"]).parent, *flags_of(command))
        alike.setdefault(key, []).append(command)
    return [same[i:i + MAX_BATCH] for same in alike.values() for i in range(0, len(same), MAX_BATCH)]


def run_tidy(batch):
    """Most of clang-tidy's time goes into the headers, so one translation unit includes all files of a batch."""
    with tempfile.NamedTemporaryFile("w", suffix=".cc") as unit:
        unit.writelines(f'#include "{command["file"]}"\n' for command in batch)
        unit.flush()
        file = unit.name if len(batch) > 1 else batch[0]["file"]
        result = subprocess.run([TIDY, "--quiet", f"--config-file={CONFIG}", file, "--", *flags_of(batch[0])],
                                cwd=batch[0]["directory"], capture_output=True, check=False, text=True)
    return result.returncode, result.stdout


def tidy(batch):
    """(command, exit status, text) for each file. A batch with a finding, or with two local names that are the same, is halved."""
    code, text = run_tidy(batch)
    if code != 0 and len(batch) > 1:
        middle = len(batch) // 2
        return tidy(batch[:middle]) + tidy(batch[middle:])
    return [(command, code, text) for command in batch]


def main():
    root = CONFIG.parent
    build, stamps = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    stamps.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    common = version + CONFIG.read_bytes()
    todo = []
    for command in commands(root, build):
        command["stamp"] = stamps / fingerprint(root, command, common)
        if not command["stamp"].exists():
            todo.append(command)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for command, code, text in itertools.chain.from_iterable(pool.map(tidy, batches(todo))):
            if code == 0:
                command["stamp"].touch()
            else:
                failed += 1
                print(f"{pathlib.Path(command['file']).relative_to(root)}: clang-tidy\n{text}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
