"""Is there a CUDA GPU, asked of the driver itself: the answer must come before torch is imported."""

from __future__ import annotations

import ctypes
import sys


def cuda_memory() -> int:
    """Return the memory in bytes of the largest CUDA GPU that the driver sees; 0 where there is none."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        if driver.cuInit(0) != 0:
            return 0
        count = ctypes.c_int()
        if driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
            return 0
        return max((_memory_of(driver, index) for index in range(count.value)), default=0)
    except (OSError, AttributeError):  # no driver, or one too old to have these calls
        return 0


def _memory_of(driver: ctypes.CDLL, index: int) -> int:
    device, total = ctypes.c_int(), ctypes.c_size_t()
    if driver.cuDeviceGet(ctypes.byref(device), index) != 0:
        return 0
    return total.value if driver.cuDeviceTotalMem_v2(ctypes.byref(total), device) == 0 else 0
