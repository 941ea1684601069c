#!/usr/bin/python3
"""Plants each bug of mutants.txt in the core and checks that the tests or the simulator catch it.

Reuses the build of claimsd_sim and claims_test: for each mutant, one file is recompiled and linked instead of
the original. Exit status: 0 all caught, 1 a mutant survived or does not apply, 2 usage or build error.
"""

import argparse
import json
import pathlib
import shlex
import subprocess
import sys
import time

import mutants

PROGRAMS = {"sim": "tests/sim/claimsd_sim", "test": "tests/claims/claims_test"}


def output_of(command, cwd):
    return subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True).stdout


class Build:
    """The compile and link commands of the original programs."""

    def __init__(self, folder, programs):
        self.folder = folder
        subprocess.run(["ninja", *(PROGRAMS[name] for name in programs)], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        self.compile = {}
        for entry in json.loads((folder / "compile_commands.json").read_text(encoding="utf-8")):
            command = shlex.split(entry["command"])
            program = "sim" if "/claimsd_sim.dir/" in command[command.index("-o") + 1] else "test"
            self.compile[program, entry["file"]] = command
        self.link = {
            name: output_of(["ninja", "-t", "commands", "-s", PROGRAMS[name]], folder).strip().splitlines()[-1]
            for name in programs}

    def object_of(self, program, mutant, scratch):
        """Compiles the mutant with the options of `program`."""
        command = list(self.compile[program, str(mutants.ROOT / mutant.file)])
        source = scratch / f"{mutant.name}{pathlib.Path(mutant.file).suffix}"
        source.write_text(mutant.apply(), encoding="utf-8")
        made = scratch / f"{mutant.name}-{program}.o"
        replaced = command[command.index("-o") + 1]
        command[command.index("-o") + 1] = str(made)
        command[command.index("-c") + 1] = str(source)
        # A mutant may leave variables unused.
        subprocess.run([*command, "-Wno-error", "-w"], cwd=self.folder, check=True)
        return replaced, made

    def program(self, program, mutant, scratch):
        replaced, made = self.object_of(program, mutant, scratch)
        target = scratch / f"{mutant.name}-{program}"
        command = self.link[program].replace(f"-o {PROGRAMS[program]} ", f"-o {target} ")
        if replaced in command:
            command = command.replace(replaced, str(made))
        else:  # in a library: the linker takes the first definition
            command = command.replace(f"-o {target} ", f"-o {target} {made} ")
        subprocess.run(command, cwd=self.folder, check=True, shell=True)
        return target


def fails(command):
    """True if the program fails; a hang or a crash counts as a failure."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120,
                              check=False).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def sound(build, arguments):
    """True if the original programs pass."""
    commands = [[str(build.folder / PROGRAMS["sim"]), "--seeds", str(arguments.seeds), "--jobs", "2"]]
    if not arguments.only_sim:
        commands.append([str(build.folder / PROGRAMS["test"])])
    return not any(fails(command) for command in commands)


def catchers(mutant, only_sim):
    return [by for by in mutant.by if not (only_sim and by == "test")]


def try_mutant(build, mutant, arguments, scratch):
    """Returns the catchers that missed the mutant."""
    made = {}
    missed = []
    for by in catchers(mutant, arguments.only_sim):
        kind, _, invariant = by.partition(":")
        if kind not in made:
            made[kind] = build.program(kind, mutant, scratch)
        command = [str(made[kind])]
        if kind == "sim":
            command += ["--seeds", str(arguments.seeds), "--jobs", "2"]
        if invariant:
            command += ["--only", invariant]
        if not fails(command):
            missed.append(by)
    for path in scratch.iterdir():
        path.unlink()
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="mutants to try; all by default")
    parser.add_argument("--build", type=pathlib.Path, default=mutants.ROOT / "build/dev")
    parser.add_argument("--seeds", type=int, default=500, help="histories that the simulator runs for each mutant")
    parser.add_argument("--only-sim", action="store_true", help="use only the simulator, not the tests")
    arguments = parser.parse_args()
    listed = mutants.planted()
    chosen = [mutant for mutant in listed if not arguments.names or mutant.name in arguments.names]
    unknown = set(arguments.names) - {mutant.name for mutant in listed}
    if unknown:
        parser.error(f"no such mutants: {', '.join(sorted(unknown))}; mutants.txt lists them")
    try:
        build = Build(arguments.build.resolve(), ["sim"] if arguments.only_sim else list(PROGRAMS))
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"run.py: cannot build in {arguments.build}: {error}: run ./dev build first", file=sys.stderr)
        return 2
    if not sound(build, arguments):
        print("run.py: the tests or the simulator already fail without a mutant: fix that first", file=sys.stderr)
        return 2
    scratch = arguments.build.resolve() / "mutants"
    scratch.mkdir(exist_ok=True)
    survived = 0
    for mutant in chosen:
        begun = time.monotonic()
        try:
            missed = try_mutant(build, mutant, arguments, scratch)
            verdict = "caught" if not missed else f"SURVIVED {', '.join(missed)}"
        except (ValueError, subprocess.CalledProcessError) as error:
            missed = [str(error)]
            verdict = f"NOT TRIED: {error}"
        survived += bool(missed)
        print(f"{mutant.name:<34} {verdict} ({time.monotonic() - begun:.0f} s)", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} mutants caught")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
