"""How the ranks of one training run agree: on gradients, on return ranges, on weights. Alone by default."""

from collections.abc import Iterable
from typing import Protocol

import torch
import torch.distributed as dist
from torch import Tensor


class Collective(Protocol):
    rank: int
    size: int

    def average_gradients(self, parameters: Iterable[Tensor]) -> None: ...

    def gather(self, values: Tensor) -> Tensor: ...

    def broadcast(self, tensors: Iterable[Tensor]) -> None: ...

    def any(self, flag: bool) -> bool: ...


class Solo:
    """One process: nothing to agree on."""

    rank, size = 0, 1

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """The gradients are already the average of one."""

    def gather(self, values: Tensor) -> Tensor:
        return values

    def broadcast(self, tensors: Iterable[Tensor]) -> None:
        """There is nobody to tell."""

    def any(self, flag: bool) -> bool:
        return flag


class Ranks:
    """Several processes, started by torchrun. Every rank must make the same calls in the same order."""

    def __init__(self) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Average through one flat buffer: one message instead of one per parameter."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        if not gradients:
            return
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        flat /= self.size
        parts = flat.split([gradient.numel() for gradient in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def gather(self, values: Tensor) -> Tensor:
        values = values.detach().contiguous()
        parts = [torch.empty_like(values) for _ in range(self.size)]
        dist.all_gather(parts, values)
        return torch.stack(parts)

    def broadcast(self, tensors: Iterable[Tensor]) -> None:
        for tensor in tensors:
            dist.broadcast(tensor, src=0)

    def any(self, flag: bool) -> bool:
        vote = torch.tensor([float(flag)], device=self._device())
        dist.all_reduce(vote)
        return bool(vote.item() > 0)

    @staticmethod
    def _device() -> str:
        return "cuda" if dist.get_backend() == "nccl" else "cpu"
