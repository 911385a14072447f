"""Where the scripts and styles lie that are not ours: in a folder beside the packages, made from server/assets.txt."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dreamer_core.errors import DreamgateError

# The name that a page uses: where the wheel keeps it.
_FILES = {
    "htmx-2.min.js": "django_htmx/static/django_htmx/htmx-2.min.js",
    "uPlot.iife.js": "uplot/static/uPlot.iife.js",
    "uPlot.min.css": "uplot/static/uPlot.min.css",
}


@dataclass(frozen=True)
class Assets:
    folder: Path

    @property
    def files(self) -> dict[str, Path]:
        """Every file by the name that pages know it under, as in /static/vendor/NAME."""
        return {name: self.folder / place for name, place in _FILES.items()}

    @property
    def missing(self) -> list[str]:
        return [name for name, path in self.files.items() if not path.is_file()]


class AssetsMissingError(DreamgateError):
    """The pages would be dead without their scripts, so the server does not start without them."""

    def __init__(self, assets: Assets) -> None:
        super().__init__(
            f"{assets.folder} lacks {', '.join(assets.missing)}. `./dreamgate` puts them there; without it: "
            f"pip install --no-deps --require-hashes --target {assets.folder} -r {RECIPE}"
        )


RECIPE = Path(__file__).with_name("assets.txt")


def find_assets(environ: Mapping[str, str] = os.environ) -> Assets:
    """All of them, or an error that says how to get them."""
    assets = Assets(assets_folder(environ))
    if assets.missing:
        raise AssetsMissingError(assets)
    return assets


def assets_folder(environ: Mapping[str, str] = os.environ) -> Path:
    chosen = environ.get("DREAMGATE_ASSETS")
    return Path(chosen) if chosen else Path(sys.prefix) / "share" / "dreamgate" / "assets"
