"""A convolution over an image that was doubled first, which never makes the doubled image.

Where every pixel is repeated, several taps of a kernel meet the same one, and their sum is all that counts. Which ones
do depends on whether the row and the column of the output are even or odd, so there are four small kernels: of a kernel
of 5 x 5 each keeps 3 x 3. Together they are one convolution over the small image, with four times the channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamer_core.models.layers import Conv2d


class DoublingConv2d(Conv2d):
    """Images (N, C, H, W) to (N, O, 2 H, 2 W): nearest neighbour, then a convolution that keeps the size."""

    shares: Tensor  # (2, small kernel, kernel)

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(inputs, outputs, kernel, padding="same")
        self.register_buffer("shares", tap_shares(kernel), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        weight, reach = self._small_kernels(), self.shares.shape[1] // 2
        bias = None if self.bias is None else self.bias.repeat(4)
        return _interleaved(F.conv2d(x, weight, bias, padding=reach))

    def _small_kernels(self) -> Tensor:
        """(4 O, C, small kernel, small kernel): even rows first, and of each the even columns first."""
        # Under autocast the sums would be rounded before the product is.
        with torch.autocast(self.weight.device.type, enabled=False):
            kernels = torch.einsum("ask,btl,oikl->aboist", self.shares, self.shares, self.weight)
        return kernels.flatten(0, 2)


def tap_shares(kernel: int) -> Tensor:
    """(2, small kernel, kernel): 1 where a tap of an even, and of an odd, output meets a pixel of the small image.

    The small kernel is centred and odd; where the larger one is even, or small, some of its taps stay 0.
    """
    before = (kernel - 1) // 2  # what padding="same" puts before the first pixel
    meets = [[(parity + tap - before) // 2 for tap in range(kernel)] for parity in range(2)]
    reach = max(abs(offset) for offsets in meets for offset in offsets)
    shares = torch.zeros(2, 2 * reach + 1, kernel)
    for parity, offsets in enumerate(meets):
        for tap, offset in enumerate(offsets):
            shares[parity, reach + offset, tap] = 1.0
    return shares


def _interleaved(small: Tensor) -> Tensor:
    """(N, 4 O, H, W) to (N, O, 2 H, 2 W), laid out `by_pixel`."""
    rows = torch.unflatten(small.permute(0, 2, 3, 1), -1, (2, 2, -1)).transpose(2, 3)  # (N, H, 2, W, 2, O)
    return rows.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)
