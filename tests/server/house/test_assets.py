"""The scripts of the pages are found where they were put, and missing ones are named with what to do."""

import sys
from pathlib import Path

import pytest

from server.assets import Assets, AssetsMissingError, assets_folder, find_assets


def test_they_lie_beside_the_packages_unless_told_otherwise() -> None:
    assert assets_folder({}) == Path(sys.prefix) / "share" / "dreamgate" / "assets"
    assert assets_folder({"DREAMGATE_ASSETS": "/srv/assets"}) == Path("/srv/assets")


def test_every_file_that_pages_use_is_there() -> None:
    files = find_assets().files
    assert sorted(files) == ["htmx-2.min.js", "uPlot.iife.js", "uPlot.min.css"]
    assert all(path.stat().st_size > 1000 for path in files.values())


def test_what_is_missing_is_named_and_so_is_the_remedy(tmp_path: Path) -> None:
    first = Assets(tmp_path).files["htmx-2.min.js"]
    first.parent.mkdir(parents=True)
    first.touch()
    with pytest.raises(AssetsMissingError) as caught:
        find_assets({"DREAMGATE_ASSETS": str(tmp_path)})
    assert f"{tmp_path} lacks uPlot.iife.js, uPlot.min.css" in str(caught.value)
    assert "pip install --no-deps --require-hashes" in str(caught.value)
