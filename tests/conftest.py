"""Every test runs on one thread and with deterministic algorithms, so that its numbers repeat.

On a machine with CUDA the algorithms are left alone: some that the GPU engine uses have no deterministic version.
"""

import torch

torch.set_num_threads(1)
torch.use_deterministic_algorithms(not torch.cuda.is_available())
