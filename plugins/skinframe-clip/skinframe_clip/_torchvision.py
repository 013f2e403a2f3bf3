"""torchvision's names for MobileNetV2's layers, as timm names them: the same network, the same arithmetic."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

# Block depths of MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381, table 2).
DEPTHS = (1, 2, 3, 4, 3, 3, 1)
FIRST = {"0.0": "conv_dw", "0.1": "bn1", "1": "conv_pw", "2": "bn2"}  # the first block has no expansion
OTHER = {"0.0": "conv_pw", "0.1": "bn1", "1.0": "conv_dw", "1.1": "bn2", "2": "conv_pwl", "3": "bn3"}
KEY = re.compile(r"features\.(\d+)(?:\.conv)?\.((?:\d+\.)*\d+)\.(\w+)")


def timm_keys(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state with torchvision's `features.*` keys renamed to timm's; other states as they are."""
    return {_renamed(key): value for key, value in state.items()}


def _renamed(key: str) -> str:
    match = KEY.fullmatch(key)
    if match is None:
        return key
    index, place, leaf = int(match[1]), match[2], match[3]
    if index == 0:
        return f"{('conv_stem', 'bn1')[int(place)]}.{leaf}"
    if index == 1 + sum(DEPTHS):
        return f"{('conv_head', 'bn2')[int(place)]}.{leaf}"
    stage, block = _position(index - 1)
    names = FIRST if stage == 0 else OTHER
    return f"blocks.{stage}.{block}.{names[place]}.{leaf}"


def _position(block: int) -> tuple[int, int]:
    for stage, depth in enumerate(DEPTHS):
        if block < depth:
            return stage, block
        block -= depth
    raise KeyError(f"MobileNetV2 has no block {block}")
