"""The evaluations of several seeds as one picture: a line each, and the level that they are to reach and keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from dreamer_core.viz.canvas import new_figure
from dreamer_core.viz.style import BACKGROUND, DREAMING, FAINT, INK, WATCHING

_WIDTH, _HEIGHT = 960, 420


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
    panel.set_xlabel("environment steps", color=INK)
    panel.set_ylabel("mean return of an evaluation", color=INK)
    panel.set_title(f"{len(lines)} seeds; green: kept so far, red: lost", color=INK, fontsize=11)
    panel.tick_params(colors=INK)
    for side in panel.spines.values():
        side.set_color(FAINT)
    figure.tight_layout()
    figure.savefig(path)
