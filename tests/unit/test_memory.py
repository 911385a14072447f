"""A process that trains does not ask for the same memory again and again."""

import platform
import subprocess
import sys

import pytest

# Ten megabytes come and go a hundred times. Without `keep_memory` some 2,400 pages have to be fetched for them.
SCRIPT = """
import resource
from dreamer_core.training.memory import keep_memory
assert keep_memory()
bytearray(10_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    bytearray(10_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told")
def test_memory_that_was_freed_is_used_again_without_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100
