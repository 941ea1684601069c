"""The list of planted bugs matches the core; ./dev mutants runs them."""

import mutants

LIST = mutants.read()


def test_each_mutant_applies_to_the_current_code():
    problems = []
    for mutant in mutants.planted():
        try:
            assert mutant.apply() != (mutants.ROOT / mutant.file).read_text(encoding="utf-8"), mutant.name
        except ValueError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


def test_mutant_names_are_unique_and_at_least_thirty():
    assert len({mutant.name for mutant in LIST}) == len(LIST) >= 30


def test_each_simulator_invariant_catches_a_mutant_alone():
    caught = {by.partition(":")[2] for mutant in LIST for by in mutant.by if by.startswith("sim:")}
    assert sorted(set(mutants.invariants()) - caught) == []
    assert sorted(caught - set(mutants.invariants())) == []


def test_each_mutant_names_what_must_catch_it():
    for mutant in LIST:
        assert mutant.by and all(by == "test" or by.partition(":")[0] == "sim" for by in mutant.by), mutant.name
