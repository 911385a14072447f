"""Words as pixels, drawn by matplotlib without any global figure."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dreamer_core.viz.video import Frame

_DPI = 100


class Words(NamedTuple):
    text: str
    x: float  # pixels from the left
    align: str  # of the text to x: left, center or right
    color: str


def draw_strip(width: int, height: int, words: Sequence[Words], *, size: float, background: str) -> Frame:
    """A strip of one line, (height, width, 3)."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor=background)
    canvas = FigureCanvasAgg(figure)
    for text, x, align, color in words:
        figure.text(x / width, 0.5, text, ha=align, va="center_baseline", color=color, fontsize=size)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
