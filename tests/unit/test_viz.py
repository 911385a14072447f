"""Dream videos: what is on the frames, and that players can read them."""

import gc
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from dreamer_core.errors import MissingExtraError
from dreamer_core.rng import make_generator
from dreamer_core.types import ObsSpec
from dreamer_core.viz.dream import Clip, View, dream_clip
from dreamer_core.viz.files import write_dream
from dreamer_core.viz.pictures import picture_frames
from dreamer_core.viz.plots import MOST_COMPONENTS, plot_frames, whole_plot
from dreamer_core.viz.style import DREAMING, WATCHING, rgb
from dreamer_core.viz.video import write_gif, write_mp4
from tests.unit.tiny_agents import tiny_agent

for _package in ("matplotlib", "imageio", "imageio_ffmpeg"):
    pytest.importorskip(_package, reason="dream videos need the extra: pip install 'dreamgate[viz]'")

PANEL = slice(40, 296)  # rows of a picture: the header, the border, then 4 times 64 pixels


def picture_view(*, imagined: float, moments: int = 3) -> View:
    """Real pictures are black with one white corner; the dream is of one grey."""
    real = torch.zeros(moments, 3, 64, 64)
    real[:, :, 0, 0] = 1.0
    grey = torch.full_like(real, imagined)
    return View(spec=ObsSpec(kind="image", shape=(3, 64, 64)), real=real, reconstructed=real, imagined=grey)


def perfect(view: View) -> View:
    return View(spec=view.spec, real=view.real, reconstructed=view.real, imagined=view.real)


def panel(frame: NDArray[np.uint8], index: int) -> NDArray[np.uint8]:
    left = 12 + 4 + index * (256 + 2 * 4 + 12)
    return frame[PANEL, left : left + 256]


def vector_clip(moments: int = 4, components: int = 3) -> Clip:
    real = torch.arange(moments * components).reshape(moments, components).float()
    view = View(spec=ObsSpec(kind="vector", shape=(components,)), real=real, reconstructed=real, imagined=real + 1)
    return Clip(seed=0, context=2, views={"state": view})


def read_back(path: Path) -> tuple[NDArray[np.uint8], dict[str, Any]]:
    """The frames of a video and what it says of itself."""
    import imageio.v3

    with warnings.catch_warnings():
        # imageio's reader of mp4 leaves its pipes to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        read = imageio.v3.imread(path), imageio.v3.immeta(path)
        gc.collect()
    return read


def test_pixels_are_enlarged_by_a_whole_number() -> None:
    [frame, *_] = picture_frames(picture_view(imagined=0.5), context=1)
    real, _, imagined, _ = (panel(frame, index) for index in range(4))
    assert real[:4, :4].min() == 255
    assert real[4:].max() == real[:, 4:].max() == 0
    assert np.unique(imagined).tolist() == [128]


def test_the_border_is_green_in_the_context_and_red_in_the_dream() -> None:
    frames = list(picture_frames(picture_view(imagined=0.5), context=2))
    inside_border = 12 + 2 * (256 + 2 * 4 + 12) + 1
    assert [tuple(frame[100, inside_border].tolist()) for frame in frames] == [
        rgb(WATCHING),
        rgb(WATCHING),
        rgb(DREAMING),
    ]


def test_the_error_panel_is_dark_where_the_dream_is_right() -> None:
    view = picture_view(imagined=0.0)
    [frame, *_] = picture_frames(view, context=1)
    error = panel(frame, 3)
    assert error[:4, :4].max() > 200  # the white corner was dreamt black
    assert error[8:].max() <= 4
    assert float(perfect(view).error.max()) == 0.0
    [frame, *_] = picture_frames(perfect(view), context=1)
    assert panel(frame, 3).max() <= 4


@pytest.mark.parametrize("channels", [1, 4])
def test_pictures_of_any_number_of_channels_are_shown(channels: int) -> None:
    images = torch.full((2, channels, 64, 64), 0.2)
    spec = ObsSpec(kind="image", shape=(channels, 64, 64))
    view = View(spec=spec, real=images, reconstructed=images, imagined=images)
    [frame, _] = picture_frames(view, context=1)
    assert np.unique(panel(frame, 0)).tolist() == [51]


@pytest.mark.parametrize("size", [(5, 9), (300, 280)])
def test_frames_have_even_sides_whatever_the_picture(size: tuple[int, int]) -> None:
    images = torch.zeros(1, 3, *size)
    view = View(spec=ObsSpec(kind="image", shape=(3, *size)), real=images, reconstructed=images, imagined=images)
    [frame] = picture_frames(view, context=1)
    assert (frame.shape[0] % 2, frame.shape[1] % 2) == (0, 0)


@pytest.mark.parametrize("components", [1, 3, 5, 8])
def test_a_plot_has_a_frame_per_moment_and_grows(components: int) -> None:
    clip = vector_clip(components=components)
    frames = list(plot_frames(clip.views["state"], clip.context, key="state"))
    assert len(frames) == 4
    assert {(frame.shape[0] % 2, frame.shape[1] % 2) for frame in frames} == {(0, 0)}
    red = [(frame.astype(int) @ [2, -1, -1] > 250).sum() for frame in frames]  # of the imagined lines
    assert red[1] < red[2] < red[3]


def test_the_whole_plot_is_twice_as_sharp() -> None:
    clip = vector_clip()
    [frame, *_] = plot_frames(clip.views["state"], clip.context, key="state")
    whole = whole_plot(clip.views["state"], clip.context, key="state")
    assert whole.shape == (2 * frame.shape[0], 2 * frame.shape[1], 3)


def test_more_components_than_can_be_read_are_left_out() -> None:
    many, most = (vector_clip(components=n).views["state"] for n in (MOST_COMPONENTS + 5, MOST_COMPONENTS))
    assert whole_plot(many, 2, key="state").shape == whole_plot(most, 2, key="state").shape


def test_a_constant_vector_can_be_plotted() -> None:
    still = torch.ones(3, 1)
    view = View(spec=ObsSpec(kind="vector", shape=(1,)), real=still, reconstructed=still, imagined=still)
    assert len(list(plot_frames(view, 1, key="state"))) == 3


def test_videos_are_read_back_with_their_frames_and_size(tmp_path: Path) -> None:
    frames = list(picture_frames(picture_view(imagined=0.5, moments=5), context=2))
    mp4, gif = write_mp4(tmp_path / "dream.mp4", frames), write_gif(tmp_path / "dream.gif", frames)
    expected = (5, *frames[0].shape)
    assert read_back(gif)[0].shape == expected
    video, meta = read_back(mp4)
    assert video.shape == expected
    # Compression changes little: white stays light, black dark.
    assert panel(video[0], 0)[1, 1].min() > 200
    assert panel(video[0], 0)[100:].max() < 30
    assert (meta["codec"], meta["pix_fmt"].split("(")[0], meta["fps"]) == ("h264", "yuv420p", 10)


def test_a_dream_of_pictures_becomes_two_files(tmp_path: Path) -> None:
    agent, config = tiny_agent("dreamgate/CountingPixels-v0")
    clip = dream_clip(agent, config, 3, 4, 2, make_generator(0))
    written = write_dream(tmp_path / "videos", clip, "dream-000")
    assert [path.name for path in written] == ["dream-000-rgb.mp4", "dream-000-rgb.gif"]
    assert all(path.stat().st_size > 1000 for path in written)


def test_a_dream_of_vectors_becomes_a_plot_too(tmp_path: Path) -> None:
    written = write_dream(tmp_path, vector_clip(), "dream.v1")
    assert [path.name for path in written] == ["dream.v1-state.mp4", "dream.v1-state.gif", "dream.v1-state.png"]
    assert [len(read_back(path)[0]) for path in written[:2]] == [4, 4]


@pytest.mark.parametrize("module", ["matplotlib", "imageio", "imageio_ffmpeg"])
def test_a_missing_extra_is_named_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtraError, match=r"dream videos needs .*dreamgate\[viz\]"):
        write_dream(tmp_path / "videos", vector_clip(), "dream")
    assert list(tmp_path.iterdir()) == []
