"""What a run sets for all of PyTorch in its process: memory, threads, and which library makes its products."""

from typing import Any

import torch

from dreamer_core.config.tree import Config
from dreamer_core.training.memory import keep_memory


def set_up_torch(config: Config) -> None:
    keep_memory()
    use_fastest_products(allow_bf16=config.precision.allow_bf16)
    torch.set_num_threads(config.run.threads)
    torch.backends.cuda.matmul.allow_tf32 = config.precision.allow_tf32
    torch.backends.cudnn.allow_tf32 = config.precision.allow_tf32  # of convolutions; true unless somebody says so


def use_fastest_products(*, allow_bf16: bool = False) -> bool:
    """Choose who makes the products of float32 on the CPU; true where it is oneDNN, and not MKL.

    PyTorch hands them to oneDNN only where it may round them to bfloat16, which AMX multiplies many times as fast as
    float32. Without AMX it was seen not to round: then they stay float32, and on AMD are faster than MKL's.
    `tests/golden` and `tests/unit/test_torch_setup.py` hold it to that.
    """
    mkldnn: Any = torch.backends.mkldnn  # its parts are made while it is imported, so mypy knows none of them
    if not (hasattr(torch.cpu, "get_capabilities") and hasattr(mkldnn, "matmul")):
        return False  # an older PyTorch, which neither tells nor can be told
    features = torch.cpu.get_capabilities()
    is_amd = str(features.get("cpu_name", "")).startswith("AMD")
    is_faster = bool(is_amd and features.get("avx512_bf16") and not features.get("amx_bf16"))
    may_round = bool(allow_bf16 and features.get("amx_bf16"))
    mkldnn.matmul.fp32_precision = "bf16" if is_faster or may_round else "ieee"
    mkldnn.conv.fp32_precision = "bf16" if may_round else "ieee"
    return is_faster or may_round
