#!/usr/bin/python3
"""Runs clang-tidy on all shipped sources, in parallel: `tidy.py BUILD_DIR STAMP_DIR`.

A clean file is not checked again until one of these changes: its text, a project header it includes, its compile command,
.clang-tidy, or clang-tidy itself. The name of a clean file's stamp is the hash of all of them.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

FOLDERS = ("proto", "client/src", "client/claimsctl", "daemon")
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)
TIDY = "clang-tidy"


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


def tidy(build, file):
    result = subprocess.run([TIDY, "-p", str(build), "--quiet", file], capture_output=True, check=False,
                            text=True)
    return result.returncode, result.stdout


def main():
    root = pathlib.Path(__file__).resolve().parents[1]
    build, stamps = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    stamps.mkdir(parents=True, exist_ok=True)
    version = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    common = version + (root / ".clang-tidy").read_bytes()
    todo = {}
    for command in commands(root, build):
        stamp = stamps / fingerprint(root, command, common)
        if not stamp.exists():
            todo[command["file"]] = stamp
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for (file, stamp), (code, text) in zip(todo.items(), pool.map(lambda f: tidy(build, f), todo)):
            if code == 0:
                stamp.touch()
            else:
                failed += 1
                print(f"{pathlib.Path(file).relative_to(root)}: clang-tidy\n{text}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
