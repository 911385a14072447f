"""The half of the generator that runs inside its environment: checks which reference is there, then builds fixtures."""

import argparse
import hashlib
import importlib
import platform
import sys
from importlib.metadata import version as installed
from pathlib import Path

import torch

from tests.golden.recording import Reference, write_fixtures

SHARED = ("models/models.py", "utils/utils.py", "utils/distribution.py", "algos/dreamer_v2/utils.py")


def run(preset: str, *, version: str, commit: str | None, package: str, digest: str) -> None:
    """Command line of one reference: --out DIR [--checkout DIR] NAME..."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--checkout", type=Path)
    parser.add_argument("names", nargs="+")
    args = parser.parse_args()
    if args.checkout:
        # After this package was imported: the checkout has a folder `tests` too, which must not shadow ours.
        sys.path.insert(0, str(args.checkout))
    reference = _identify(preset, version, commit, package)
    if reference.source_sha256 != digest:
        raise SystemExit(
            f"sheeprl {version} here has other sources ({reference.source_sha256}) than expected ({digest})"
        )
    write_fixtures(args.out, args.names, reference)


def _identify(preset: str, version: str, commit: str | None, package: str) -> Reference:
    sheeprl = importlib.import_module("sheeprl")
    found = getattr(sheeprl, "__version__", None) or installed("sheeprl")
    if found != version:
        raise SystemExit(f"these fixtures come from sheeprl {version}, but {found} is what imports here")
    root = Path(sheeprl.__file__ or "").parent
    return Reference(
        preset=preset,
        sheeprl=version,
        commit=commit,
        source_sha256=_digest(root, package),
        environment=_environment(),
    )


def _digest(root: Path, package: str) -> str:
    """One number for the reference's sources that the fixtures go through."""
    digest = hashlib.sha256()
    for path in (*sorted((root / package).glob("*.py")), *(root / name for name in SHARED)):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _environment() -> dict[str, str]:
    packages = {name: installed(name) for name in ("numpy", "lightning", "hydra-core", "gymnasium", "torchmetrics")}
    return {"python": platform.python_version(), "torch": torch.__version__, **packages}
