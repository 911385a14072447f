"""Reads golden fixtures for the tests; refuses one that is absent or is not what the manifest says."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as parse_tensors
from torch import Tensor

FOLDER = Path(__file__).parent / "fixtures"


class FixtureError(Exception):
    """A fixture that cannot be trusted, and what to do about it."""


@dataclass(frozen=True, kw_only=True)
class Fixture:
    """One recording of the reference; `params` keeps the order of the reference's state_dict."""

    name: str
    inputs: dict[str, Tensor]
    params: dict[str, Tensor]
    outputs: dict[str, Tensor]
    grads: dict[str, Tensor]
    after: dict[str, Tensor]
    settings: dict[str, Any]
    notes: str


def load(name: str, folder: Path = FOLDER) -> Fixture:
    entry = _entry(name, folder)
    tensors = parse_tensors(_trusted_bytes(name, entry, folder))
    kinds: dict[str, dict[str, Tensor]] = {kind: {} for kind in ("in", "param", "out", "grad", "after")}
    for key, value in tensors.items():
        kind, _, rest = key.partition(".")
        kinds[kind][rest] = value
    return Fixture(
        name=name,
        inputs=kinds["in"],
        params={key: kinds["param"][key] for key in entry["params"]},
        outputs=kinds["out"],
        grads=kinds["grad"],
        after=kinds["after"],
        settings=entry["settings"],
        notes=entry["notes"],
    )


def read_manifest(folder: Path = FOLDER) -> dict[str, Any]:
    path = folder / "manifest.json"
    if not path.exists():
        raise FixtureError(f"{path} is missing; make it with tests/golden/generate.py")
    manifest: dict[str, Any] = json.loads(path.read_text())
    return manifest


def _entry(name: str, folder: Path) -> dict[str, Any]:
    known = read_manifest(folder)["fixtures"]
    if name not in known:
        raise FixtureError(f"no golden fixture is called {name!r}; tests/golden/README.md lists them")
    entry: dict[str, Any] = known[name]
    return entry


def _trusted_bytes(name: str, entry: dict[str, Any], folder: Path) -> bytes:
    path: Path = folder / entry["file"]
    if not path.exists():
        raise FixtureError(f"{path.name} is missing; make it with tests/golden/generate.py --subset {name}")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != entry["sha256"]:
        raise FixtureError(
            f"{path.name} has sha256 {found[:12]}, but the manifest says {entry['sha256'][:12]}; "
            f"restore both from git, or make them again with tests/golden/generate.py --subset {name}"
        )
    return content


def spell(tensor: Tensor) -> str:
    """Dtype and shape as the manifest writes them, as in f32[4, 3]."""
    short = {torch.float16: "f16", torch.float32: "f32", torch.float64: "f64", torch.uint8: "u8", torch.int64: "i64"}
    return f"{short[tensor.dtype]}{list(tensor.shape)}"
