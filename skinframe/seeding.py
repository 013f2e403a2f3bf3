"""One seed per component path and per sample, so that a toggle shifts nothing else.

Counter-based: a seed is a hash of what it is for, never the state of a generator that someone else may have moved.
"""

from __future__ import annotations

import hashlib


def derive(seed: int, *parts: str | int) -> int:
    """Return a 63-bit seed for `parts`, e.g. `derive(17, "heads.classify")` or `derive(17, epoch, "order")`."""
    text = "\x1f".join([str(seed), *(str(part) for part in parts)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
