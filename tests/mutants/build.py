"""Builds a mutant from an existing build: one file is recompiled, and one program or library is linked with it. The build is not changed."""

import json
import os
import pathlib
import shlex
import shutil
import subprocess

import mutants

CORE = {"sim": "tests/sim/claimsd_sim", "test": "tests/claims/claims_test"}
LIBRARY = "client/src/libclaimsd.so.1.0.0"
DAEMON = "daemon/claimsd"
CLAIMSCTL = "client/claimsctl/claimsctl"


def output_of(command, cwd):
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


def target_of(mutant, program, programs):
    """What has to be linked with the mutant, so that the test in `program` runs it; None: nothing, it is Python."""
    if program in CORE:
        return CORE[program]
    if program == "pytest":
        if mutant.file.endswith(".py"):
            return None
        return CLAIMSCTL if mutant.source.startswith("client/claimsctl/") else DAEMON
    is_library = mutant.source.startswith("client/src/") or (mutant.source.startswith("proto/") and program.startswith("client_"))
    return LIBRARY if is_library and program != "client_parts_test" else programs[program]


class Build:
    """The compile and link commands of a build, which is complete."""

    def __init__(self, folder):
        self.folder = folder
        self.entries = {}  # source: its compile commands
        for entry in json.loads((folder / "compile_commands.json").read_text(encoding="utf-8")):
            self.entries.setdefault(entry["file"], []).append(shlex.split(entry["command"]))
        self.programs = {path.name: str(path.relative_to(folder)) for path in folder.glob("tests/*/*_test")}
        self._links = {}
        self._inputs = {}

    def make(self, targets):
        if targets:  # without any, ninja makes everything
            subprocess.run(["ninja", *sorted(targets)], cwd=self.folder, check=True, stdout=subprocess.DEVNULL)

    def link_of(self, target):
        if target not in self._links:
            self._links[target] = output_of(["ninja", "-t", "commands", "-s", target], self.folder).strip().splitlines()[-1]
            self._inputs[target] = set(output_of(["ninja", "-t", "inputs", target], self.folder).split())
        return self._links[target], self._inputs[target]

    def object_of(self, target, mutant, scratch):
        """Compiles the mutant as for `target`: (the object that it replaces, the object)."""
        _, inputs = self.link_of(target)
        commands = self.entries[str(mutants.ROOT / mutant.source)]
        (command, *_) = [each for each in commands if each[each.index("-o") + 1] in inputs]
        command = list(command)
        made = scratch / "mutant.o"
        replaced = command[command.index("-o") + 1]
        command[command.index("-o") + 1] = str(made)
        if mutant.via is None:
            source = scratch / pathlib.Path(mutant.file).name
            source.write_text(mutant.apply(), encoding="utf-8")
            command[command.index("-c") + 1] = str(source)
        else:  # a header: found first
            header = scratch / "include" / mutant.file
            header.parent.mkdir(parents=True)
            header.write_text(mutant.apply(), encoding="utf-8")
            command.insert(1, f"-I{scratch / 'include'}")
        command = [word for word in command if word != "-MD" and not word.endswith(".d")]
        # A mutant may leave variables unused.
        subprocess.run([word for word in command if word not in ("-MT", "-MF")] + ["-Wno-error", "-w"], cwd=self.folder, check=True,
                       env={**os.environ, "CCACHE_DISABLE": "1"})
        return replaced, made

    def link(self, target, mutant, scratch):
        """The mutated program or library in `scratch`, under its path in the build."""
        replaced, made = self.object_of(target, mutant, scratch)
        command, _ = self.link_of(target)
        result = scratch / target
        result.parent.mkdir(parents=True, exist_ok=True)
        command = command.replace(f"-o {target} ", f"-o {result} ")
        if f" {replaced} " in command:
            command = command.replace(f" {replaced} ", f" {made} ")
        else:  # in a library: the linker takes the first definition
            command = command.replace(f"-o {result} ", f"-o {result} {made} ")
        subprocess.run(command, cwd=self.folder, check=True, shell=True)
        return result

    def mirror(self, scratch):
        """A build directory for pytest: links to the build, but for what is there already."""
        self._mirror(self.folder, scratch)
        return scratch

    def _mirror(self, original, copy):
        for path in original.iterdir():
            there = copy / path.name
            if there.is_dir() and not there.is_symlink():
                self._mirror(path, there)
            elif not there.exists() and path.name != "mutants":
                there.symlink_to(path)

    def python(self, mutant, scratch):
        """A build directory whose Python package has the mutant."""
        package = scratch / "python"
        shutil.copytree(self.folder / "python", package, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        (package / pathlib.Path(mutant.file).relative_to("client/python")).write_text(mutant.apply(), encoding="utf-8")
        return self.mirror(scratch)
