"""Four shades in a byte, the leftmost in the low bits."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from dreamer_core.models.packed import pack2, unpack2


def test_the_leftmost_pixel_lies_in_the_low_bits() -> None:
    packed = torch.tensor([[0b11_10_01_00, 0b00_01_10_11]], dtype=torch.uint8)
    assert unpack2(packed).tolist() == [[0, 1, 2, 3, 3, 2, 1, 0]]
    assert pack2(torch.tensor([[0, 1, 2, 3]])).tolist() == [[0b11_10_01_00]]


def test_every_byte_is_its_four_base_four_digits() -> None:
    digits = [[byte % 4, byte // 4 % 4, byte // 16 % 4, byte // 64] for byte in range(256)]
    packed = torch.arange(256, dtype=torch.uint8)[:, None]
    assert unpack2(packed).tolist() == digits
    assert torch.equal(pack2(unpack2(packed)), packed)


@given(st.lists(st.integers(0, 3), min_size=4, max_size=40).filter(lambda shades: len(shades) % 4 == 0))
def test_unpacking_undoes_packing(shades: list[int]) -> None:
    assert unpack2(pack2(torch.tensor(shades))).tolist() == shades


def test_a_screen_unpacks_to_four_times_its_width() -> None:
    screen = unpack2(torch.zeros(3, 2, 1, 72, 20, dtype=torch.uint8))
    assert screen.shape == (3, 2, 1, 72, 80)
    assert screen.dtype == torch.uint8
