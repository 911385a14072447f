"""What a worker has to give: so many jobs at a time, and its CUDA devices, each to one job at a time."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Seat:
    """What one job may use."""

    gpus: tuple[str, ...]
    threads: int

    @property
    def environment(self) -> dict[str, str]:
        """An empty list of devices hides them all: a job that was given none must not sit on another job's."""
        threads = str(self.threads)
        return {
            "CUDA_DEVICE_ORDER": "PCI_BUS_ID",  # as nvidia-smi counts them
            "CUDA_VISIBLE_DEVICES": ",".join(self.gpus),
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
        }


class Slots:
    def __init__(self, count: int, gpus: Sequence[str], cores: int) -> None:
        self.count, self.gpus = count, tuple(gpus)
        self._threads = max(1, cores // count)
        self._free, self._free_gpus = count, list(gpus)
        self._lock = threading.Lock()

    @property
    def free(self) -> int:
        return self._free

    @property
    def free_gpus(self) -> int:
        return len(self._free_gpus)

    def take(self, gpus: int) -> Seat | None:
        """Lowest devices first. None where there is not enough."""
        with self._lock:
            if not self._free or gpus > len(self._free_gpus):
                return None
            self._free -= 1
            taken, self._free_gpus = self._free_gpus[:gpus], self._free_gpus[gpus:]
            return Seat(tuple(taken), self._threads)

    def give_back(self, seat: Seat) -> None:
        with self._lock:
            self._free += 1
            self._free_gpus = [gpu for gpu in self.gpus if gpu in self._free_gpus or gpu in seat.gpus]
