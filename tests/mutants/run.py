#!/usr/bin/python3
"""Plants each bug of the lists and checks that the named test or the simulator catches it, in time and not by hanging.

For each mutant one file of an existing build is recompiled and one program linked. Exit status: 0 all caught, 1 a mutant survived or
does not apply, 2 usage or build error.
"""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import mutants
from build import CORE, Build, target_of

PYTEST = ["/usr/bin/python3", "-B", "-W", "ignore", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
CAUGHT, SURVIVED, HUNG = "caught", "SURVIVED", "HUNG in"


def outcome_of(command, seconds, **options):
    """Whether the program fails within this time. A crash is a failure."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, **options)
    try:
        return CAUGHT if process.wait(seconds) != 0 else SURVIVED
    except subprocess.TimeoutExpired:
        return HUNG
    finally:
        try:
            os.killpg(process.pid, 9)  # what it has started, too
        except ProcessLookupError:
            pass
        process.wait()


def catch_filter(case):
    """The argument by which Catch2 runs this test case alone."""
    return case.replace("\\", "\\\\").replace(",", "\\,").replace("[", "\\[")


def command_for(by, program, arguments):
    if isinstance(by, mutants.Named):
        return [*PYTEST, by.case] if by.program == "pytest" else [program, catch_filter(by.case)]
    kind, _, invariant = by.partition(":")
    simulator = ["--seeds", str(arguments.seeds), "--jobs", "1", *(["--only", invariant] if invariant else [])]
    return [program, *(simulator if kind == "sim" else [])]


def try_mutant(build, mutant, arguments):
    """What each catcher said, and the longest time that one took: [(catcher, outcome)], seconds."""
    said = []
    longest = 0.0
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="m", dir=build.folder / "mutants"))
    made = {}
    try:
        for by in catchers(mutant, arguments.only_sim):
            program = by.program if isinstance(by, mutants.Named) else by.partition(":")[0]
            target = target_of(mutant, program, build.programs)
            environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
            if target is None:
                environment["CLAIMSD_BUILD_DIR"] = str(build.python(mutant, scratch))
                runs = None
            else:
                if target not in made:
                    made[target] = build.link(target, mutant, scratch)
                runs = str(made[target])
            if program == "pytest":
                environment["CLAIMSD_BUILD_DIR"] = str(build.mirror(scratch))
            elif target is not None and target.endswith(".so.1.0.0"):
                made[target].parent.joinpath("libclaimsd.so.1").unlink(missing_ok=True)
                made[target].parent.joinpath("libclaimsd.so.1").symlink_to(made[target])
                environment["LD_LIBRARY_PATH"] = str(made[target].parent)
                runs = str(build.folder / build.programs[program])
            begun = time.monotonic()
            said.append((by, outcome_of(command_for(by, runs, arguments), arguments.seconds, env=environment, cwd=mutants.ROOT)))
            longest = max(longest, time.monotonic() - begun)
        return said, longest
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def catchers(mutant, only_sim):
    return [by for by in mutant.by if not only_sim or str(by).startswith("sim")]


def sound(build, chosen, arguments):
    """Whether the named tests pass without a mutant."""
    cases = {}
    for mutant in chosen:
        for by in catchers(mutant, arguments.only_sim):
            if isinstance(by, mutants.Named):
                cases.setdefault(by.program, set()).add(by.case)
            else:
                cases.setdefault(by.partition(":")[0], set())
    commands = []
    for program, names in cases.items():
        if program == "pytest":
            commands.append([*PYTEST, *sorted(names)])
        elif program in CORE:
            commands.append(command_for(program, str(build.folder / CORE[program]), arguments))
        else:
            commands.append([str(build.folder / build.programs[program]), "--warn", "NoTests", ",".join(catch_filter(name) for name in sorted(names))])
    environment = {**os.environ, "CLAIMSD_BUILD_DIR": str(build.folder)}
    bad = [command for command in commands if outcome_of(command, 600, env=environment, cwd=mutants.ROOT) != SURVIVED]
    for command in bad:
        print(f"run.py: fails without a mutant, or does not exist: {' '.join(command)}", file=sys.stderr)
    return not bad


def targets(build, chosen, only_sim):
    found = set()
    for mutant in chosen:
        for by in catchers(mutant, only_sim):
            program = by.program if isinstance(by, mutants.Named) else by.partition(":")[0]
            found.add(target_of(mutant, program, build.programs))
            found.update([build.programs[program]] if program in build.programs else [])
    return found - {None}


def report(build, mutant, arguments):
    begun = time.monotonic()
    longest = 0.0
    try:
        said, longest = try_mutant(build, mutant, arguments)
        missed = [f"{how} {' '.join(by) if isinstance(by, mutants.Named) else by}" for by, how in said if how != CAUGHT]
        verdict = ", ".join(missed) or CAUGHT
    except (ValueError, subprocess.CalledProcessError) as error:
        missed = verdict = f"NOT TRIED: {error}"
    print(f"{mutant.name:<38} {verdict} (in {longest:.1f} s of {time.monotonic() - begun:.0f})", flush=True)
    return not missed


def arguments_of():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="mutants to try; all by default")
    parser.add_argument("--build", type=pathlib.Path, default=mutants.ROOT / "build/dev")
    parser.add_argument("--seeds", type=int, default=500, help="histories that the simulator runs for each mutant")
    parser.add_argument("--seconds", type=float, default=10, help="time for each test; one that takes longer does not count as catching")
    parser.add_argument("--only-sim", action="store_true", help="use only the simulator, not the tests")
    parser.add_argument("--tenth", type=int, metavar="N", help="only every tenth mutant, beginning with number N modulo 10")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    listed = mutants.planted()
    unknown = set(arguments.names) - {mutant.name for mutant in listed}
    if unknown:
        parser.error(f"no such mutants: {', '.join(sorted(unknown))}; mutants*.txt list them")
    chosen = [mutant for mutant in listed if not arguments.names or mutant.name in arguments.names]
    if arguments.tenth is not None:
        chosen = chosen[arguments.tenth % 10::10]
    return arguments, [mutant for mutant in chosen if catchers(mutant, arguments.only_sim)]


def main():
    arguments, chosen = arguments_of()
    try:
        build = Build(arguments.build.resolve())
        build.make(targets(build, chosen, arguments.only_sim))
    except (OSError, KeyError, subprocess.CalledProcessError) as error:
        print(f"run.py: cannot build in {arguments.build}: {error}: run ./dev build first", file=sys.stderr)
        return 2
    if not sound(build, chosen, arguments):
        return 2
    (build.folder / "mutants").mkdir(exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as workers:
        caught = list(workers.map(lambda mutant: report(build, mutant, arguments), chosen))
    print(f"{sum(caught)} of {len(chosen)} mutants caught")
    return 0 if all(caught) else 1


if __name__ == "__main__":
    sys.exit(main())
