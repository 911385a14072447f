"""Figures of an exact number of pixels, and their pixels: matplotlib without its global state."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dreamer_core.viz.style import BACKGROUND
from dreamer_core.viz.video import Frame

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 100


class Words(NamedTuple):
    text: str
    x: float  # pixels from the left
    align: str  # of the text to x: left, center or right
    color: str


def new_figure(width: int, height: int, *, sharpness: int = 1) -> "Figure":
    """`sharpness` multiplies the pixels, and leaves everything else in proportion."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI * sharpness, facecolor=BACKGROUND)


def pixels(figure: "Figure") -> Frame:
    """The figure as it is now. A copy."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = figure.canvas if isinstance(figure.canvas, FigureCanvasAgg) else FigureCanvasAgg(figure)
    canvas.draw()
    frame: Frame = np.asarray(canvas.buffer_rgba())[..., :3].copy()
    return frame


def draw_strip(width: int, height: int, words: Sequence[Words], *, size: float) -> Frame:
    """One line of words."""
    figure = new_figure(width, height)
    for text, x, align, color in words:
        figure.text(x / width, 0.5, text, ha=align, va="center_baseline", color=color, fontsize=size)
    return pixels(figure)
