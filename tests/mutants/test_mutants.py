"""The lists of planted bugs match the code; ./dev mutants runs them."""

import re

import pytest

import mutants

LIST = mutants.everything()
NAMED = [mutant for mutant in LIST if mutant.named]
CORE = "daemon/claims/"
# Directories with promises of SECURITY.md or checks of input.
AREAS = ("client/src/", "client/python/", "proto/", "daemon/shm/", "daemon/store/", "daemon/server/", "daemon/upstream/", "daemon/audit/",
         "daemon/admin/", "daemon/sandbox/", "daemon/loop/", "daemon/crypto/", "daemon/host/", "daemon/base/",
         "daemon/redis/", "daemon/fleet/")


def test_each_mutant_applies_to_the_current_code():
    problems = []
    for mutant in mutants.planted():
        try:
            assert mutant.apply() != (mutants.ROOT / mutant.file).read_text(encoding="utf-8"), mutant.name
        except ValueError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


def test_mutant_names_are_unique():
    assert len({mutant.name for mutant in LIST}) == len(LIST) >= 30


def test_each_simulator_invariant_catches_a_mutant_alone():
    caught = {by.partition(":")[2] for mutant in LIST if not mutant.named for by in mutant.by if by.startswith("sim:")}
    assert sorted(set(mutants.invariants()) - caught) == []
    assert sorted(caught - set(mutants.invariants())) == []


def test_each_mutant_names_what_must_catch_it():
    for mutant in LIST:
        assert mutant.named or mutant.by and all(by == "test" or by.partition(":")[0] == "sim" for by in mutant.by), mutant.name


def test_a_mutant_of_a_header_names_the_source_that_includes_it():
    assert [mutant.name for mutant in LIST if mutant.file.endswith(".h") and mutant.via is None] == []


@pytest.mark.parametrize("area", AREAS)
def test_each_area_outside_the_core_has_mutants(area):
    assert [mutant.name for mutant in NAMED if mutant.file.startswith(area)]


def test_at_least_eighty_mutants_are_outside_the_core():
    assert len([mutant for mutant in NAMED if not mutant.file.startswith(CORE)]) >= 80


def test_the_named_tests_exist():
    missing = []
    sources = {path: re.sub(r'"\s*"', "", path.read_text(encoding="utf-8")) for path in (mutants.ROOT / "tests").glob("*/**/*_test.cc")}
    for mutant in NAMED:
        program, case = mutant.named
        if program == "pytest":
            file, _, name = case.partition("::")
            path = mutants.ROOT / file
            exists = path.exists() and f"def {name.partition('[')[0]}(" in path.read_text(encoding="utf-8")
        else:
            exists = any(f'TEST_CASE("{case}"' in re.sub(r"\(\s+", "(", text) for text in sources.values())
        if not exists:
            missing.append(f"{mutant.name}: {program} {case}")
    assert not missing, "\n".join(missing)
