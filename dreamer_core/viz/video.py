"""Frames to files: mp4 for people with a player, gif for pages. The packages are imported when something is written."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dreamer_core.errors import MissingExtraError

FRAMES_PER_SECOND = 10

Frame = NDArray[np.uint8]  # (height, width, 3), both sides even: half-resolution colour needs that


def require_packages() -> None:
    """Before anything is computed: what a dream video needs is an optional extra."""
    for package, module in (("matplotlib", "matplotlib"), ("imageio", "imageio"), ("imageio-ffmpeg", "imageio_ffmpeg")):
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError("dream videos", extra="viz", package=package)


def write_mp4(path: Path, frames: Sequence[Frame]) -> Path:
    # yuv420p is what every browser plays; macro_block_size 2 keeps the frames at their own size.
    _write(
        path,
        frames,
        plugin="FFMPEG",
        fps=FRAMES_PER_SECOND,
        codec="libx264",
        pixelformat="yuv420p",
        quality=8,
        macro_block_size=2,
    )
    return path


def write_gif(path: Path, frames: Sequence[Frame]) -> Path:
    _write(path, frames, plugin="pillow", duration=1000 // FRAMES_PER_SECOND, loop=0)
    return path


def write_png(path: Path, frame: Frame) -> Path:
    _write(path, frame, plugin="pillow")
    return path


def _write(path: Path, frames: Sequence[Frame] | Frame, **options: Any) -> None:
    import imageio.v3

    imageio.v3.imwrite(path, np.asarray(frames), **options)
