"""packed2 screens: four 2-bit shades in a byte, the leftmost pixel in the low bits."""

import torch
from torch import Tensor

SHADES_PER_BYTE = 4
MAX_SHADE = 3


def unpack2(packed: Tensor) -> Tensor:
    """uint8 (..., H, W / 4) to shades 0..3, uint8 (..., H, W)."""
    shifts = torch.arange(0, 8, 2, dtype=torch.uint8, device=packed.device)
    shades: Tensor = torch.bitwise_and(torch.bitwise_right_shift(packed[..., None], shifts), MAX_SHADE)
    return torch.flatten(shades, -2)


def pack2(shades: Tensor) -> Tensor:
    """The inverse of `unpack2`."""
    quads = shades.to(torch.uint8).unflatten(-1, (-1, SHADES_PER_BYTE))
    places = torch.tensor([1, 4, 16, 64], dtype=torch.uint8, device=shades.device)
    packed: Tensor = (quads * places).sum(-1)
    return packed.to(torch.uint8)
