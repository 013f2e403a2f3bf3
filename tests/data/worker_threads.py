"""What a worker process says of its environment; a module, because workers import it."""

from __future__ import annotations

import os
from collections.abc import Sequence

NAMES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
NAMES += ("VECLIB_MAXIMUM_THREADS",)


class Asked:
    """Reports the variables and, where threadpoolctl is there, the threads that NumPy's BLAS really has."""

    def __call__(self, item: int) -> tuple[Sequence[str | None], list[int]]:
        import numpy as np
        from threadpoolctl import threadpool_info

        np.ones((2, 2)) @ np.ones((2, 2))
        return [os.environ.get(name) for name in NAMES], [pool["num_threads"] for pool in threadpool_info()]
