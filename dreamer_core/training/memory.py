"""Keeping memory between updates instead of giving it back to the system and asking for it again.

An update takes and frees tensors of some 10 MB hundreds of times. By default glibc maps each of these anew, and the
system fills it with zeros page by page: 4 % of an update with 32x32 latents, 8 % with preset cartpole.
"""

import ctypes
import platform

# From glibc's <malloc.h>.
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4
_NEVER = 2**31 - 1  # bytes: only what is free beyond this at the heap's end is given back


def keep_memory() -> bool:
    """For the whole process, and only where glibc allocates. The memory that it holds is the most it ever needed."""
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    return bool(mallopt(_M_MMAP_MAX, 0)) and bool(mallopt(_M_TRIM_THRESHOLD, _NEVER))
