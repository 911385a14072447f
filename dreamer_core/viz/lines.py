"""The evaluations of several seeds as one picture: a line each, and the level that they are to reach and keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dreamer_core.viz.canvas import new_figure
from dreamer_core.viz.style import BACKGROUND, DREAMING, FAINT, INK, WATCHING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDTH, _HEIGHT = 960, 420
_TICKS = (0.4, 1, 2, 4, 10, 20)  # multiples of the steps by which it should have been learned


@dataclass(frozen=True, kw_only=True)
class Line:
    env_steps: Sequence[int]
    scores: Sequence[float]
    is_lost: bool  # it had reached the level, and fell


def can_draw() -> bool:
    """Matplotlib is an extra: without it, there is the table."""
    return find_spec("matplotlib") is not None


def write(lines: Sequence[Line], level: float, by_env_steps: int, path: Path) -> None:
    figure = new_figure(_WIDTH, _HEIGHT, sharpness=2)
    panel = figure.subplots()
    panel.set_facecolor(BACKGROUND)
    for line in lines:
        color = DREAMING if line.is_lost else WATCHING
        panel.plot(line.env_steps, line.scores, color=color, alpha=0.7, linewidth=1.4)
    panel.axhline(level, color=INK, linewidth=1, linestyle=(0, (4, 3)))
    panel.axvline(by_env_steps, color=FAINT, linewidth=1)
    _widen_the_beginning(panel, by_env_steps, last=max((step for line in lines for step in line.env_steps), default=0))
    panel.set_xlabel("environment steps (by their square root)", color=INK)
    panel.set_ylabel("mean return of an evaluation", color=INK)
    seeds = "1 seed" if len(lines) == 1 else f"{len(lines)} seeds"
    panel.set_title(f"{seeds}; green: kept so far, red: lost", color=INK, fontsize=11)
    panel.tick_params(colors=INK)
    for side in panel.spines.values():
        side.set_color(FAINT)
    figure.tight_layout()
    figure.savefig(path)


def _widen_the_beginning(panel: "Axes", by_env_steps: int, last: int) -> None:
    """Learning takes a twentieth of the steps and would be a twentieth of the picture."""
    panel.set_xscale("function", functions=(np.sqrt, np.square))
    panel.set_xlim(0, max(last, by_env_steps) * 1.02)
    panel.set_xticks(ticks(by_env_steps, last), [f"{tick:,.0f}" for tick in ticks(by_env_steps, last)])


def ticks(by_env_steps: int, last: int) -> list[float]:
    return [by_env_steps * share for share in _TICKS if share <= 1 or by_env_steps * share <= last]
