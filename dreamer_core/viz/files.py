"""The files of a dream: a video of every observation, and for vectors the whole plot as a picture too."""

from pathlib import Path

from dreamer_core.viz.dream import Clip
from dreamer_core.viz.pictures import picture_frames
from dreamer_core.viz.plots import plot_frames, whole_plot
from dreamer_core.viz.video import require_packages, write_gif, write_mp4, write_png


def write_dream(folder: Path, clip: Clip, name: str) -> list[Path]:
    """`NAME-KEY.mp4` and `.gif` per observation, and `.png` for vectors. Makes the folder, replaces older files."""
    require_packages()
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for key, view in clip.views.items():
        stem = folder / f"{name}-{key}"
        is_vector = view.spec.kind == "vector"
        frames = list(plot_frames(view, clip.context, key=key) if is_vector else picture_frames(view, clip.context))
        written.append(write_mp4(stem.with_name(stem.name + ".mp4"), frames))
        written.append(write_gif(stem.with_name(stem.name + ".gif"), frames))
        if is_vector:
            written.append(write_png(stem.with_name(stem.name + ".png"), whole_plot(view, clip.context, key=key)))
    return written
