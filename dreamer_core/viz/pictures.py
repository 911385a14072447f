"""A dream of pictures as frames: real | reconstructed | imagined | error, side by side."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dreamer_core.viz.canvas import Words, draw_strip
from dreamer_core.viz.dream import View
from dreamer_core.viz.style import BACKGROUND, DREAMING, FAINT, INK, WATCHING, rgb
from dreamer_core.viz.video import Frame

PANELS = ("real", "reconstructed", "imagined", "error")
_PANEL_SIZE = 256  # pixels are enlarged by the largest whole number that keeps a panel within this
_BORDER = 4
_GAP = 12
_HEADER, _FOOTER, _TIMELINE = 36, 34, 6


def picture_frames(view: View, context: int) -> Iterator[Frame]:
    """One frame per moment. The two panels about the dream have a green border while it watches, then a red one."""
    panels = [_to_rgb(images) for images in (view.real, view.reconstructed, view.imagined)]
    error = view.error.mean(1).numpy()  # (T, H, W): over the channels
    panels.append(_heat(error))
    scale = max(1, _PANEL_SIZE // max(error.shape[1:]))
    large = [panel.repeat(scale, 1).repeat(scale, 2) for panel in panels]
    header = _header(large[0].shape[2])
    for t in range(len(error)):
        color = WATCHING if t < context else DREAMING
        colors = [FAINT, FAINT, color, color]
        row = _side_by_side([_framed(panel[t], c) for panel, c in zip(large, colors, strict=True)])
        footer = _footer(row.shape[1], t, len(error), context, float(error[t].mean()))
        yield _even(np.concatenate([header, row, footer, _timeline(row.shape[1], t, len(error), context)]))


def _to_rgb(images: Tensor) -> Frame:
    """(T, C, H, W) in [0, 1] to (T, H, W, 3). Any other number of channels than three is shown as their mean."""
    if images.shape[1] != 3:
        images = images.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    pixels: Frame = (images.permute(0, 2, 3, 1) * 255).round().byte().numpy()
    return pixels


def _heat(error: NDArray[np.float32]) -> Frame:
    """(T, H, W) in [0, 1] to colours: black is no error, bright is the largest possible one."""
    from matplotlib import colormaps

    colors: Frame = colormaps["inferno"](error, bytes=True)[..., :3]
    return colors


def _framed(image: Frame, color: str) -> Frame:
    height, width, _ = image.shape
    framed = np.empty((height + 2 * _BORDER, width + 2 * _BORDER, 3), np.uint8)
    framed[:] = rgb(color)
    framed[_BORDER:-_BORDER, _BORDER:-_BORDER] = image
    return framed


def _side_by_side(panels: list[Frame]) -> Frame:
    gap = np.empty((panels[0].shape[0], _GAP, 3), np.uint8)
    gap[:] = rgb(BACKGROUND)
    return np.concatenate([part for panel in panels for part in (gap, panel)] + [gap], axis=1)


def _header(panel_width: int) -> Frame:
    step = panel_width + 2 * _BORDER + _GAP
    words = [Words(name, _GAP + (i + 0.5) * step - _GAP / 2, "center", INK) for i, name in enumerate(PANELS)]
    return draw_strip(_GAP + step * len(PANELS), _HEADER, words, size=11)


def _footer(width: int, t: int, length: int, context: int, error: float) -> Frame:
    is_watching = t < context
    what = "watching" if is_watching else f"dreaming, {t - context + 1} ahead"
    words = [
        Words(f"moment {t + 1} of {length}", _GAP, "left", INK),
        Words(what, width / 2, "center", WATCHING if is_watching else DREAMING),
        Words(f"mean error {error:.3f}", width - _GAP, "right", INK),
    ]
    return draw_strip(width, _FOOTER, words, size=10)


def _timeline(width: int, t: int, length: int, context: int) -> Frame:
    """A bar that fills: green up to the context, red from there."""
    moment = np.arange(width) * length // width
    colors = np.where((moment < context)[:, None], rgb(WATCHING), rgb(DREAMING))
    colors = np.where((moment <= t)[:, None], colors, rgb(BACKGROUND))
    return np.broadcast_to(colors.astype(np.uint8), (_TIMELINE, width, 3))


def _even(frame: Frame) -> Frame:
    """Repeat the last row or column where a side is odd."""
    height, width, _ = frame.shape
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
