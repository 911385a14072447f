"""How the ranks of one training run agree: on gradients, on return ranges, on weights. Alone by default."""

import os
from collections.abc import Iterable
from typing import Protocol

import torch
import torch.distributed as dist
from torch import Tensor

from dreamer_core.training.flat import flatten, split


class Collective(Protocol):
    rank: int
    size: int

    def average_gradients(self, parameters: Iterable[Tensor]) -> None: ...

    def gather(self, values: Tensor) -> Tensor: ...

    def broadcast(self, tensors: Iterable[Tensor]) -> None: ...

    def sum(self, count: int) -> int: ...

    def any(self, flag: bool) -> bool: ...

    def share(self, text: str) -> str:
        """The first rank's text, on every rank."""
        ...


def join() -> Collective:
    """The group that torchrun put this process into, or nobody."""
    if int(os.environ.get("WORLD_SIZE", "1")) <= 1:
        return Solo()
    has_cuda = torch.cuda.is_available()
    if has_cuda:  # before anything is put on "cuda": each rank has a card of its own
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    if not dist.is_initialized():
        # Gloo for what is counted on the host, also with device=cpu on a machine with cards.
        dist.init_process_group("cpu:gloo,cuda:nccl" if has_cuda else "gloo")
    return Ranks()


class Solo:
    """One process: nothing to agree on."""

    rank, size = 0, 1

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """The gradients are already the average of one."""

    def gather(self, values: Tensor) -> Tensor:
        return values

    def broadcast(self, tensors: Iterable[Tensor]) -> None:
        """There is nobody to tell."""

    def sum(self, count: int) -> int:
        return count

    def any(self, flag: bool) -> bool:
        return flag

    def share(self, text: str) -> str:
        return text


class Ranks:
    """Several processes, started by torchrun. Every rank must make the same calls in the same order."""

    def __init__(self) -> None:
        self.rank, self.size = dist.get_rank(), dist.get_world_size()

    def average_gradients(self, parameters: Iterable[Tensor]) -> None:
        """Average through one flat buffer: one message instead of one per parameter."""
        gradients = [p.grad for p in parameters if p.grad is not None]
        if not gradients:
            return
        flat = flatten(gradients)
        dist.all_reduce(flat)
        flat /= self.size
        for gradient, part in zip(gradients, split(flat, gradients), strict=True):
            gradient.copy_(part)

    def gather(self, values: Tensor) -> Tensor:
        values = values.detach().contiguous()
        parts = [torch.empty_like(values) for _ in range(self.size)]
        dist.all_gather(parts, values)
        return torch.stack(parts)

    def broadcast(self, tensors: Iterable[Tensor]) -> None:
        for tensor in tensors:
            dist.broadcast(tensor, src=0)

    def sum(self, count: int) -> int:
        total = torch.tensor([count])
        dist.all_reduce(total)
        return int(total.item())

    def any(self, flag: bool) -> bool:
        return self.sum(int(flag)) > 0

    def share(self, text: str) -> str:
        data = text.encode()
        length = self.sum(len(data) if self.rank == 0 else 0)
        message = torch.zeros(length, dtype=torch.uint8)
        if self.rank == 0:
            message.copy_(torch.frombuffer(bytearray(data), dtype=torch.uint8))
        dist.broadcast(message, src=0)
        return bytes(message.tolist()).decode()
