"""A dream of vectors as frames: one plot per component, with the real, reconstructed and imagined lines growing."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dreamer_core.viz.canvas import new_figure, pixels
from dreamer_core.viz.dream import View
from dreamer_core.viz.style import BACKGROUND, DREAMING, FAINT, INK, RECONSTRUCTED, WATCHING
from dreamer_core.viz.video import Frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_COMPONENTS = 16  # more panels than that cannot be read
_WIDTH, _ROW, _HEAD, _FOOT = 1120, 200, 48, 40  # pixels, all even
_LOOKS: dict[str, dict[str, Any]] = {
    "real": {"color": INK, "linewidth": 2.2},
    "reconstructed": {"color": RECONSTRUCTED, "linewidth": 1.6, "linestyle": (0, (4, 2))},
    "imagined": {"color": DREAMING, "linewidth": 1.8},
}


def plot_frames(view: View, context: int, *, key: str) -> Iterator[Frame]:
    """One frame per moment."""
    plot = DreamPlot(view, context, key=key)
    for t in range(len(view.real)):
        yield plot.draw(t)


def whole_plot(view: View, context: int, *, key: str) -> Frame:
    """The last frame, twice as sharp."""
    return DreamPlot(view, context, key=key, sharpness=2).draw(len(view.real) - 1)


class DreamPlot:
    """The figure, made once; every moment only makes its lines longer."""

    def __init__(self, view: View, context: int, *, key: str, sharpness: int = 1) -> None:
        self.lines = _curves(view, context)  # each (T, components); the dream is NaN until it begins
        self.context, self.error = context, view.error.mean(1).numpy()
        self.moments = np.arange(1, len(self.error) + 1)
        count = self.lines["real"].shape[1]
        columns = math.ceil(math.sqrt(count)) if count > 3 else 1
        rows = math.ceil(count / columns)
        height = _HEAD + rows * _ROW + _FOOT
        self.figure = new_figure(_WIDTH, height, sharpness=sharpness)
        self.panels: list[Axes] = list(self.figure.subplots(rows, columns, sharex=True, squeeze=False).flat)
        self.figure.subplots_adjust(
            left=0.05, right=0.985, bottom=(_FOOT + 22) / height, top=1 - (_HEAD + 14) / height, hspace=0.3, wspace=0.16
        )
        for component, panel in enumerate(self.panels[:count]):
            self._prepare(panel, component, f"{key} {component}")
        for panel in self.panels[count:]:
            panel.set_visible(False)
        self.panels = self.panels[:count]
        for lowest in self.panels[-columns:]:  # also where the last row is not full
            lowest.tick_params(labelbottom=True)
        self._add_words(view, height)

    def draw(self, t: int) -> Frame:
        for component, panel in enumerate(self.panels):
            for line, values in zip(panel.lines, self.lines.values(), strict=False):
                line.set_data(self.moments[: t + 1], values[: t + 1, component])
            self._draw_error(panel, t, component)
        is_watching = t < self.context
        self.what.set_text("watching" if is_watching else f"dreaming, {t - self.context + 1} ahead")
        self.what.set_color(WATCHING if is_watching else DREAMING)
        self.where.set_text(f"moment {t + 1} of {len(self.error)}")
        self.how_far.set_text(f"mean error {self.error[t]:.3f}")
        return pixels(self.figure)

    def _prepare(self, panel: "Axes", component: int, title: str) -> None:
        """Axes with fixed limits, so that nothing jumps while the lines grow."""
        from matplotlib.ticker import MaxNLocator

        for look in _LOOKS.values():
            panel.plot([], [], **look)
        first, border, last = 1, self.context + 0.5, len(self.error)
        panel.set_xlim(first, last)
        panel.set_ylim(*_limits([values[:, component] for values in self.lines.values()]))
        panel.axvspan(first, border, color=WATCHING, alpha=0.07, linewidth=0)
        panel.axvspan(border, last, color=DREAMING, alpha=0.07, linewidth=0)
        panel.set_title(title, color=INK, fontsize=9, loc="left", pad=4)
        panel.set_facecolor(BACKGROUND)
        panel.tick_params(colors=INK, labelsize=8)
        panel.xaxis.set_major_locator(MaxNLocator(integer=True))
        panel.spines[:].set_color(FAINT)

    def _draw_error(self, panel: "Axes", t: int, component: int) -> None:
        """What lies between the real line and the imagined one."""
        for old in list(panel.collections):
            old.remove()
        real, imagined = (self.lines[name][: t + 1, component] for name in ("real", "imagined"))
        panel.fill_between(self.moments[: t + 1], real, imagined, color=DREAMING, alpha=0.25, linewidth=0)

    def _add_words(self, view: View, height: int) -> None:
        from matplotlib.lines import Line2D
        from matplotlib.patches import Patch

        handles = [*(Line2D([], [], **look) for look in _LOOKS.values()), Patch(color=DREAMING, alpha=0.35)]
        self.figure.legend(
            handles,
            [*_LOOKS, "error"],
            loc="upper center",
            ncols=4,
            frameon=False,
            labelcolor=INK,
            fontsize=11,
            bbox_to_anchor=(0.5, 1 - 6 / height),
        )
        left_out = view.real.shape[1] - len(self.panels)
        if left_out:
            self.figure.text(0.985, 1 - 24 / height, f"{left_out} more not shown", ha="right", color=INK, fontsize=9)
        middle = _FOOT / 2 / height
        self.where = self.figure.text(0.0107, middle, "", ha="left", va="center_baseline", color=INK, fontsize=10)
        self.what = self.figure.text(0.5, middle, "", ha="center", va="center_baseline", fontsize=10)
        self.how_far = self.figure.text(0.989, middle, "", ha="right", va="center_baseline", color=INK, fontsize=10)


def _curves(view: View, context: int) -> dict[str, NDArray[np.float32]]:
    curves = {
        "real": view.real.numpy(),
        "reconstructed": view.reconstructed.numpy(),
        "imagined": view.imagined.numpy().copy(),
    }
    curves["imagined"][: context - 1] = np.nan  # until then it is the reconstruction; the last moment joins the two
    return {name: values[:, :MOST_COMPONENTS] for name, values in curves.items()}


def _limits(curves: list[NDArray[np.float32]]) -> tuple[float, float]:
    values = np.concatenate(curves)
    values = values[np.isfinite(values)]
    low, high = float(values.min()), float(values.max())
    margin = 0.06 * (high - low) or 1.0
    return low - margin, high + margin
