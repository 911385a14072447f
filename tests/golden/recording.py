"""What a golden fixture is made of, and how it is written: named tensors in one file, one entry in the manifest.

This runs inside the generator's environment, next to the reference. The tests only ever read what it wrote.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zlib import crc32

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.golden.fixtures import spell
from tests.golden.sampling import NearTieError

FORMAT = 1
_ATTEMPTS = 50
NOTES = (
    "No random numbers have to match: every categorical sample is its mode (a one-hot with straight-through gradient, "
    "onehot + probs - probs.detach()), every normal sample its mean; in the world model, in imagination, everywhere.",
    "Weights are drawn anew until no mode is a near-tie: settings.smallest_mode_margin is the smallest gap between the "
    "two likeliest classes (or from 0.5) that the fixture met.",
    "Weights are what the reference initializes, plus noise, so that no zero head, unit scale or zero bias hides a "
    "term; the two-hot heads also get a bias that peaks at the middle bin, so that values are a few units, not 1e8.",
    "grad.* of a module fixture is the gradient of half the sum of squares of the outputs named in settings.grad_of; "
    "of a loss or a train step it is the gradient of that loss, before any clipping. No entry: the loss does not "
    "reach that tensor.",
    "Everything is float32 on the CPU with one thread; another kind of CPU may differ in the last bits.",
)


@dataclass
class Recording:
    """One fixture in the making: in.* and param.* go in, out.*, grad.* and after.* come out."""

    settings: dict[str, Any] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    param_order: list[str] = field(default_factory=list)

    def inputs(self, **values: Tensor) -> None:
        self._put("in", values)

    def params(self, **modules: nn.Module) -> None:
        """The weights by the reference's own names; `module=` stands for the fixture's only module."""
        named = _state(modules)
        self.param_order += list(named)
        self._put("param", named)

    def outputs(self, **values: Tensor) -> None:
        self._put("out", values)

    def metrics(self, values: Mapping[str, Tensor]) -> None:
        self._put("out", values)

    def after(self, **modules: nn.Module) -> None:
        self._put("after", _state(modules))

    def grads(self, **modules: nn.Module) -> None:
        """The gradients that a backward pass has left on the weights."""
        self._put("grad", grads_of(**modules))

    def named_grads(self, values: Mapping[str, Tensor]) -> None:
        self._put("grad", values)

    def input_grads(self, **values: Tensor) -> None:
        self._put("grad", {f"in.{name}": value.grad for name, value in values.items() if value.grad is not None})

    def energy_grads(self, outputs: Mapping[str, Tensor], inputs: Mapping[str, Tensor], **modules: nn.Module) -> None:
        """Record `outputs`, and the gradients of half their sum of squares."""
        self.outputs(**outputs)
        self.settings["grad_of"] = list(outputs)
        torch.stack([0.5 * value.square().sum() for value in outputs.values()]).sum().backward()
        self.input_grads(**inputs)
        self.grads(**modules)

    def _put(self, kind: str, values: Mapping[str, Tensor]) -> None:
        for name, value in values.items():
            key = f"{kind}.{name}"
            assert key not in self.tensors, f"{key} was recorded twice"
            self.tensors[key] = value.detach().clone().contiguous()


Builder = Callable[[Recording], None]
_BUILDERS: dict[str, Builder] = {}


def fixture(build: Builder) -> Builder:
    """Register a builder: its name is the fixture's name, its docstring the manifest's note."""
    _BUILDERS[build.__name__] = build
    return build


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Which code the numbers come from."""

    preset: str
    sheeprl: str
    commit: str | None
    source_sha256: str
    environment: dict[str, str]


def write_fixtures(out: Path, names: Iterable[str], reference: Reference) -> None:
    """Build the named fixtures and put them in the manifest beside the ones already there."""
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    path = out / "manifest.json"
    manifest = json.loads(path.read_text()) if path.exists() else {"references": {}, "fixtures": {}}
    references = manifest["references"] | {reference.preset: asdict(reference)}
    known = {name: entry for name, entry in manifest["fixtures"].items() if (out / entry["file"]).exists()}
    made = {name: _write(out, name, reference) for name in names}
    whole = {
        "format": FORMAT,
        "notes": NOTES,
        "references": references,
        "fixtures": dict(sorted((known | made).items())),
    }
    path.write_text(json.dumps(whole, indent=1) + "\n")


def _write(out: Path, name: str, reference: Reference) -> dict[str, Any]:
    record = _build(name)
    _refuse_non_finite(name, record.tensors)
    path = out / f"{name}.safetensors"
    save_file(record.tensors, path)
    path.chmod(0o644)
    return {
        "file": path.name,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "notes": " ".join((_BUILDERS[name].__doc__ or "").split()),
        "preset": reference.preset,
        "sheeprl": reference.sheeprl,
        "commit": reference.commit,
        "torch": reference.environment["torch"],
        "settings": record.settings,
        "params": record.param_order,
        "tensors": {key: spell(value) for key, value in sorted(record.tensors.items())},
    }


def _build(name: str) -> Recording:
    """Seeds follow from the name alone, so that a subset gives the same files as the whole."""
    for attempt in range(_ATTEMPTS):
        torch.manual_seed(crc32(f"{name}/{attempt}".encode()))
        record = Recording()
        try:
            _BUILDERS[name](record)
        except NearTieError:
            continue
        return record
    raise NearTieError(f"{name}: {_ATTEMPTS} draws of weights all came to a near-tie")


def _refuse_non_finite(name: str, tensors: Mapping[str, Tensor]) -> None:
    for key, value in tensors.items():
        if not torch.isfinite(value).all():
            raise ValueError(f"{name}: {key} is not finite, so nothing could be compared with it")


def grads_of(**modules: nn.Module) -> dict[str, Tensor]:
    """Copies of the gradients on the weights now, by the names that `params` gives them."""
    return {name: value.grad.clone() for name, value in _state(modules).items() if value.grad is not None}


def _state(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    named = {}
    for prefix, module in modules.items():
        lead = "" if prefix == "module" else f"{prefix}."
        named.update({lead + name: value for name, value in module.state_dict(keep_vars=True).items()})
    return named
