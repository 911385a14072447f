"""Which library makes the products is chosen by the processor, and none of them rounds unless it may."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from dreamer_core.rng import make_generator
from dreamer_core.training.torch_setup import use_fastest_products


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    mkldnn: Any = torch.backends.mkldnn
    parts = mkldnn.matmul, mkldnn.conv
    before = [part.fp32_precision for part in parts]
    yield
    for part, precision in zip(parts, before, strict=True):
        part.fp32_precision = precision


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


@pytest.mark.parametrize(("has_tiles", "precision"), [(True, "bf16"), (False, "ieee")])
def test_products_are_rounded_only_where_they_may_be_and_it_pays(
    monkeypatch: pytest.MonkeyPatch, has_tiles: bool, precision: str
) -> None:
    features = {"cpu_name": "Intel(R) Xeon(R)", "avx512_bf16": True, "amx_bf16": has_tiles}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: features)
    assert use_fastest_products(allow_bf16=True) is has_tiles
    mkldnn: Any = torch.backends.mkldnn
    assert (mkldnn.matmul.fp32_precision, mkldnn.conv.fp32_precision) == (precision, precision)
    assert not use_fastest_products()
    assert (mkldnn.matmul.fp32_precision, mkldnn.conv.fp32_precision) == ("ieee", "ieee")


def test_rounded_products_are_right_to_three_digits() -> None:
    """Where there is no AMX this is no more than that the setting does no harm."""
    use_fastest_products(allow_bf16=True)
    left, right = torch.randn(512, 256, generator=make_generator(0)), torch.randn(256, 256, generator=make_generator(1))
    exact = (left.double() @ right.double()).float()
    assert (left @ right - exact).norm() < 4e-3 * exact.norm()
