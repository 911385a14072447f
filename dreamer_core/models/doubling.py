"""A convolution over an image that was doubled first, which never makes the doubled image.

Where every pixel is repeated, several taps of a kernel meet the same one, and their sum is all that counts. Which ones
depends on whether the row and the column of the output are even or odd, so there are four small kernels: of a kernel of
5 x 5, four of 3 x 3. Together they are one convolution over the small image, with four times as many output channels.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from dreamer_core.models.layers import Conv2d


class DoublingConv2d(Conv2d):
    """Images (N, C, H, W) to (N, O, 2 H, 2 W): nearest neighbour, then a convolution that keeps the size."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__(inputs, outputs, kernel, padding="same")
        self.before = (kernel - 1) // 2  # what "same" puts before the first pixel
        self.reach = max((self.before + 1) // 2, (kernel - self.before) // 2)  # of a small kernel, to either side

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.cat([self.small_kernel(row, column) for row in (0, 1) for column in (0, 1)])
        bias = None if self.bias is None else self.bias.repeat(4)
        return _interleave(F.conv2d(x, weight, bias, padding=self.reach))

    def small_kernel(self, row: int, column: int) -> Tensor:
        """(O, C, size, size), for outputs in even (0) or odd (1) rows and columns. The size is odd, so that one padding
        fits all four; unless the kernel is 1, 5, 9, ... some rows and columns of it stay 0."""
        padded = F.pad(self.weight, [*self._padding(column), *self._padding(row)])
        # Sums, and not products with ones: those may be rounded, sums may not.
        pairs = torch.unflatten(torch.unflatten(padded, 3, (-1, 2)), 2, (-1, 2))
        return pairs.sum((3, 5))

    def _padding(self, parity: int) -> tuple[int, int]:
        """Zeros before and behind the taps, until the first two of a row of pairs meet the pixel `reach` before."""
        before = 2 * self.reach + parity - self.before
        return before, 2 * (2 * self.reach + 1) - before - self.weight.shape[-1]


def _interleave(small: Tensor) -> Tensor:
    """(N, 4 O, H, W) to (N, O, 2 H, 2 W), laid out `by_pixel`."""
    rows = torch.unflatten(small.permute(0, 2, 3, 1), -1, (2, 2, -1)).transpose(2, 3)  # (N, H, 2, W, 2, O)
    return rows.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)
