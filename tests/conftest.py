"""Every test runs on one thread, with deterministic algorithms and the products that runs have, so that numbers repeat.

On a machine with CUDA the algorithms are left alone: some that the GPU engine uses have no deterministic version.
"""

import torch

from dreamer_core.training.torch_setup import use_fastest_products

use_fastest_products()
torch.set_num_threads(1)
torch.use_deterministic_algorithms(not torch.cuda.is_available())
