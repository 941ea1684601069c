"""The list of planted bugs keeps up with the core; ./dev mutants plants them."""

import mutants

LIST = mutants.read()


def test_each_mutant_still_applies():
    problems = []
    for mutant in mutants.planted():
        try:
            assert mutant.apply() != (mutants.ROOT / mutant.file).read_text(encoding="utf-8"), mutant.name
        except ValueError as error:
            problems.append(str(error))
    assert not problems, "\n".join(problems)


def test_names_are_unique_and_there_are_enough():
    assert len({mutant.name for mutant in LIST}) == len(LIST) >= 30


def test_each_invariant_of_the_simulator_is_shown_to_catch_a_bug_alone():
    caught = {by.partition(":")[2] for mutant in LIST for by in mutant.by if by.startswith("sim:")}
    assert sorted(set(mutants.invariants()) - caught) == []
    assert sorted(caught - set(mutants.invariants())) == []


def test_somebody_has_to_catch_each_mutant():
    for mutant in LIST:
        assert mutant.by and all(by == "test" or by.partition(":")[0] == "sim" for by in mutant.by), mutant.name
