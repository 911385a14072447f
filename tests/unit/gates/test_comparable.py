"""What may be put side by side, and which part differs if not."""

from dreamer_core.gates.comparable import differing_family, differing_testbed, family_is_known
from dreamer_core.gates.evidence import Evidence
from dreamer_core.gates.group import Facts, SeedGroup
from tests.unit.gates.values import SCORE, baseline, run


def of(*facts: Facts, tasks: str = "") -> SeedGroup:
    """One run for each; `tasks` has a letter for each run, or nothing."""
    names = tasks or " " * len(facts)
    return SeedGroup(
        runs=tuple(
            run({SCORE: [1.0] * 4}, seed, task=name.strip(), facts=fact)
            for seed, (fact, name) in enumerate(zip(facts, names, strict=True))
        )
    )


def family(before: SeedGroup, after: SeedGroup) -> str:
    return differing_family(baseline(before), Evidence(candidate=after))


def machine(before: SeedGroup, after: SeedGroup) -> str | None:
    return differing_testbed(baseline(before), Evidence(candidate=after))


def test_the_same_family_is_comparable_and_so_is_an_unknown_one() -> None:
    assert family(of(Facts(family="a")), of(Facts(family="a"), Facts(family="a"))) == ""
    assert family(of(Facts()), of(Facts(family="a"))) == ""
    assert family(of(Facts(family="a")), of(Facts())) == ""


def test_what_differs_is_named_by_preset_and_the_like_or_else_by_the_config() -> None:
    before = of(Facts(family="a", preset="x", env="CartPole-v1"))
    assert family(before, of(Facts(family="b", preset="y", env="CartPole-v1"))) == (
        "not comparable: family a of the baseline, b of the candidate; they differ in preset x / y"
    )
    units = {"algo.units": 64, "algo.gamma": 0.9, "only.here": 1}
    assert family(of(Facts(family="a", config=units)), of(Facts(family="b", config={**units, "algo.units": 32}))) == (
        "not comparable: family a of the baseline, b of the candidate; they differ in algo.units 64 / 32"
    )
    assert family(of(Facts(family="a")), of(Facts(family="b"))).endswith("b of the candidate")


def test_what_decides_no_family_is_not_named_as_the_difference() -> None:
    before = Facts(family="a", config={"seed": 3, "algo.units": 64, "run.tag": "x", "critic.tau": 0.1})
    after = Facts(family="b", config={"seed": 4, "algo.units": 32, "run.tag": "y", "critic.tau": 0.2})
    assert family(of(before), of(after)).endswith("they differ in algo.units 64 / 32")


def test_a_group_of_several_families_is_comparable_with_nothing() -> None:
    mixed, plain = of(Facts(family="a"), Facts(family="b")), of(Facts(family="a"))
    assert family(mixed, plain) == "not comparable: the runs of the baseline are of different families (a, b)"
    assert family(plain, mixed) == "not comparable: the runs of the candidate are of different families (a, b)"


def test_families_are_compared_task_by_task() -> None:
    two = of(Facts(family="a"), Facts(family="b"), tasks="xy")
    assert family(two, two) == ""
    assert "family b of the baseline, c of the candidate" in family(
        two, of(Facts(family="a"), Facts(family="c"), tasks="xy")
    )
    assert family(two, of(Facts(family="a"), tasks="z")) == "not comparable: the baseline has no task 'z'"


def test_it_is_known_whether_families_are_known() -> None:
    known, unknown = of(Facts(family="a")), of(Facts(family="a"), Facts())
    assert family_is_known(baseline(known), Evidence(candidate=known))
    assert not family_is_known(baseline(known), Evidence(candidate=unknown))
    assert not family_is_known(baseline(unknown), Evidence(candidate=known))
    assert not family_is_known(baseline(known), Evidence(candidate=SeedGroup(runs=())))


def test_testbeds_are_compared_by_the_parts_that_both_name() -> None:
    here = of(Facts(testbed={"cpu": "A", "torch": "2.6", "fingerprint": "1"}))
    assert machine(here, of(Facts(testbed={"cpu": "A", "torch": "2.6", "fingerprint": "2"}))) == ""
    assert machine(here, of(Facts(testbed={"cpu": "A", "gpu": "H"}))) == ""
    assert machine(here, of(Facts(testbed={"cpu": "B", "torch": "2.7"}))) == "cpu A / B, torch 2.6 / 2.7"


def test_an_unknown_testbed_is_neither_the_same_nor_another() -> None:
    here = of(Facts(testbed={"cpu": "A"}))
    assert machine(here, of(Facts())) is None
    assert machine(of(Facts()), here) is None
    assert machine(here, of(Facts(testbed={"gpu": "H"}))) is None


def test_a_baseline_of_two_machines_differs_from_everything() -> None:
    two = of(Facts(testbed={"cpu": "A"}), Facts(testbed={"cpu": "B"}))
    assert machine(two, of(Facts(testbed={"cpu": "A"}))) == "cpu A / B"
