"""Which library makes the products is chosen by the processor, and none of them rounds."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from dreamer_core.rng import make_generator
from dreamer_core.training.torch_setup import use_fastest_products


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    mkldnn: Any = torch.backends.mkldnn
    before = mkldnn.matmul.fp32_precision
    yield
    mkldnn.matmul.fp32_precision = before


@pytest.mark.parametrize("rows", [1, 16, 512, 4096])
@pytest.mark.parametrize("width", [64, 256, 1536])
def test_products_of_float32_are_not_rounded_further(rows: int, width: int) -> None:
    """With bfloat16 inside, the error of the largest of these would be some 0.1."""
    use_fastest_products()
    left = torch.randn(rows, width, generator=make_generator(0))
    right, bias = torch.randn(width, 256, generator=make_generator(1)), torch.zeros(256)
    exact = (left.double() @ right.double()).float()
    for product in (left @ right, torch.addmm(bias, left, right), torch.bmm(left[None], right[None])[0]):
        torch.testing.assert_close(product, exact, rtol=0, atol=1e-3)


def test_an_older_pytorch_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert not use_fastest_products()


@pytest.mark.parametrize(
    ("features", "is_faster"),
    [
        ({"cpu_name": "AMD EPYC", "avx512_bf16": True, "amx_bf16": False}, True),
        ({"cpu_name": "AMD EPYC", "avx512_bf16": False}, False),
        ({"cpu_name": "AMD of some day", "avx512_bf16": True, "amx_bf16": True}, False),  # there it would round
        ({"cpu_name": "Intel(R) Xeon(R)", "avx512_bf16": True, "amx_bf16": True}, False),
        ({}, False),
    ],
)
def test_only_amd_with_the_newer_vectors_and_without_tiles_changes_hands(
    monkeypatch: pytest.MonkeyPatch, features: dict[str, Any], is_faster: bool
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    assert use_fastest_products() is is_faster
    mkldnn: Any = torch.backends.mkldnn
    assert mkldnn.matmul.fp32_precision == ("bf16" if is_faster else "ieee")
