"""How often seeds_bootstrap is wrong, and how often it sees what is there: simulated, and written into docs/gates.md.

    python benchmarks/gates_power.py [--trials 2000] [--write docs/gates.md]

Scores are drawn for both sides, the check's own function compares them, and verdicts are counted. Seeded: a second
call gives the same tables.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from dreamer_core.gates.decide import decide, holm, seeds_to_decide
from dreamer_core.gates.resample import Comparison, compare_scores
from dreamer_core.gates.series import Floats
from dreamer_core.gates.verdict import Verdict

ALPHA = 0.05
SEEDS = (4, 5, 8, 10, 18, 20)
NO_MARGIN = 1e-9  # the hardest case for false alarms: nothing is forgiven
BEGIN, END = "<!-- power: begin -->", "<!-- power: end -->"

Draw = Callable[[np.random.Generator, int], Floats]


def normal(cv: float) -> Draw:
    return lambda rng, count: 100.0 * (1.0 + cv * rng.standard_normal(count))


def lognormal(rng: np.random.Generator, count: int) -> Floats:
    return 100.0 * rng.lognormal(0.0, 0.5, count)


def solved_or_not(rng: np.random.Generator, count: int) -> Floats:
    """As on CartPole: four runs of five at the ceiling, the fifth anywhere."""
    return np.where(rng.random(count) < 0.8, 500.0, rng.uniform(9.0, 500.0, count))


WORLDS: dict[str, Draw] = {"normal, CV 30 %": normal(0.3), "lognormal": lognormal, "4 of 5 solved": solved_or_not}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--write", type=Path)
    args = parser.parse_args()
    text = "\n\n".join(tables(args.trials))
    if args.write is None:
        sys.stdout.write(text + "\n")
        return
    page = args.write.read_text(encoding="utf-8")
    head, rest = page.split(BEGIN)
    tail = rest.split(END)[1]
    args.write.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")


def tables(trials: int) -> Iterable[str]:
    yield f"Simulated with {trials} trials for each number, alpha {ALPHA}; the sampling error is about one point."
    yield table("Both sides from the same distribution, no margin: share called **fail** (must stay below 5 %)", [
        (name, [share(trials, draw, draw, seeds, NO_MARGIN, Verdict.FAIL) for seeds in SEEDS])
        for name, draw in WORLDS.items()
    ])  # fmt: skip
    yield table("The same, share called **improved** (must stay below 5 %)", [
        (name, [share(trials, draw, draw, seeds, NO_MARGIN, Verdict.IMPROVED) for seeds in SEEDS])
        for name, draw in WORLDS.items()
    ])  # fmt: skip
    yield table("Five such metrics in one gate, after Holm: share of gates with any **fail** (must stay below 5 %)", [
        (name, [any_failure(trials // 4, draw, seeds, 5) for seeds in SEEDS]) for name, draw in WORLDS.items()
    ])  # fmt: skip
    yield table("The candidate loses exactly the margin of 20 %: share that is **green** (must stay near 5 %)", [
        (name, [share(trials, draw, scaled(draw, 0.8), seeds, 20.0, *_GREEN) for seeds in SEEDS])
        for name, draw in (("normal, CV 30 %", normal(0.3)), ("normal, CV 10 %", normal(0.1)))
    ])  # fmt: skip
    yield table("CV 30 %, no margin: share of real drops called **fail**", [
        (f"{drop:.0%} lower", [share(trials, normal(0.3), scaled(normal(0.3), 1 - drop), seeds, NO_MARGIN, Verdict.FAIL)
                               for seeds in SEEDS])
        for drop in (0.25, 0.33, 0.5)
    ])  # fmt: skip
    yield table("CV 30 %, margin 10 %: share of real drops called **fail**", [
        (f"{drop:.0%} lower", [share(trials, normal(0.3), scaled(normal(0.3), 1 - drop), seeds, 10.0, Verdict.FAIL)
                               for seeds in SEEDS])
        for drop in (0.25, 0.33, 0.5)
    ])  # fmt: skip
    yield table("No difference: share that is **green**, by spread and margin", [
        (f"CV {cv:.0%}, margin {margin:.0f} %",
         [share(trials, normal(cv), normal(cv), seeds, margin, *_GREEN) for seeds in SEEDS])
        for cv, margin in ((0.3, 10.0), (0.3, 25.0), (0.1, 10.0), (0.05, 10.0))
    ])  # fmt: skip
    yield advised(trials)
    yield table("How often the 90 % interval of the bootstrap holds the true difference", [
        (name, [coverage(trials, draw, seeds) for seeds in SEEDS])
        for name, draw in (("normal, CV 30 %", normal(0.3)), ("lognormal", lognormal))
    ])  # fmt: skip


_GREEN = (Verdict.PASS, Verdict.IMPROVED)


def scaled(draw: Draw, factor: float) -> Draw:
    """A lower mean with the same spread."""
    return lambda rng, count: draw(rng, count) - 100.0 * (1.0 - factor)


def compared(rng: np.random.Generator, before: Draw, after: Draw, seeds: int, margin: float) -> Comparison:
    return compare_scores([before(rng, seeds)], [after(rng, seeds)], higher=True, margin=margin, alpha=ALPHA)


def share(trials: int, before: Draw, after: Draw, seeds: int, margin: float, *wanted: Verdict) -> float:
    rng, hits = np.random.default_rng((seeds, trials)), 0
    for _ in range(trials):
        found = compared(rng, before, after, seeds, margin)
        hits += decide(found, p_worse=found.p_worse, p_better=found.p_better) in wanted
    return hits / trials


def any_failure(trials: int, draw: Draw, seeds: int, metrics: int) -> float:
    rng, hits = np.random.default_rng((seeds, trials, metrics)), 0
    for _ in range(trials):
        found = [compared(rng, draw, draw, seeds, NO_MARGIN) for _ in range(metrics)]
        hits += any(p <= ALPHA for p in holm([one.p_worse for one in found]))
    return hits / trials


def coverage(trials: int, draw: Draw, seeds: int) -> float:
    rng = np.random.default_rng((seeds, trials))
    found = [compared(rng, draw, draw, seeds, NO_MARGIN) for _ in range(trials)]
    return sum(one.low <= 0.0 <= one.high for one in found) / trials


def advised(trials: int) -> str:
    """Is the number of seeds that an inconclusive verdict names the right one?"""
    rows = []
    for drop in (0.25, 0.33, 0.5):
        pilot = replace(
            compared(np.random.default_rng(0), normal(0.3), normal(0.3), 4, NO_MARGIN),
            difference=-100.0 * drop,
            spread=30.0,
        )
        seeds = seeds_to_decide(pilot) or 0
        power = share(trials, normal(0.3), scaled(normal(0.3), 1 - drop), seeds, NO_MARGIN, Verdict.FAIL)
        rows.append(f"| {drop:.0%} lower | {seeds} | {power:.1%} |")
    head = "| CV 30 %, no margin | seeds named | share decided with them |\n|---|---|---|"
    return "The number of seeds that an inconclusive verdict names, if it knew the true spread:\n\n" + "\n".join(
        [head, *rows]
    )


def table(title: str, rows: list[tuple[str, list[float]]]) -> str:
    head = f"| seeds a side | {' | '.join(map(str, SEEDS))} |\n|---|{'---|' * len(SEEDS)}"
    body = "\n".join(f"| {name} | {' | '.join(f'{value:.1%}' for value in values)} |" for name, values in rows)
    return f"{title}:\n\n{head}\n{body}"


if __name__ == "__main__":
    main()
