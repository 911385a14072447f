"""What a run sets for all of PyTorch in its process: memory, threads, and which library makes its products."""

from typing import Any

import torch

from dreamer_core.config.tree import Config
from dreamer_core.training.memory import keep_memory


def set_up_torch(config: Config) -> None:
    keep_memory()
    use_fastest_products()
    torch.set_num_threads(config.run.threads)
    torch.backends.cuda.matmul.allow_tf32 = config.precision.allow_tf32
    torch.backends.cudnn.allow_tf32 = config.precision.allow_tf32  # of convolutions; true unless somebody says so


def use_fastest_products() -> bool:
    """On AMD, have oneDNN make the matrix products instead of MKL, which was measured to be slower there.

    PyTorch hands float32 products to oneDNN only where it may round them to bfloat16. Without AMX it was seen not to:
    its products stay float32, and `tests/golden` and `tests/unit/test_torch_setup.py` hold it to that.
    """
    mkldnn: Any = torch.backends.mkldnn  # its parts are made while it is imported, so mypy knows none of them
    if not (hasattr(torch.cpu, "get_capabilities") and hasattr(mkldnn, "matmul")):
        return False  # an older PyTorch, which neither tells nor can be told
    features = torch.cpu.get_capabilities()
    is_amd = str(features.get("cpu_name", "")).startswith("AMD")
    is_faster = bool(is_amd and features.get("avx512_bf16") and not features.get("amx_bf16"))
    mkldnn.matmul.fp32_precision = "bf16" if is_faster else "ieee"
    return is_faster
