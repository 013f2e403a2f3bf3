"""The classes that every set is mapped to, so that a model can be judged on another set than its own."""

from __future__ import annotations

from typing import Literal

LabelSet = Literal["own", "isic8", "malignancy"]

ISIC8 = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC")  # of ISIC 2019 (Combalia et al. 2019, arXiv:1908.02288)
MALIGNANCY = ("benign", "malignant")
