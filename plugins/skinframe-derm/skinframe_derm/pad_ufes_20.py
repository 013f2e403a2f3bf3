"""PAD-UFES-20: 2,298 smartphone photographs of 1,373 patients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import skinframe
from skinframe_derm import official as of
from skinframe_derm.institutions import context
from skinframe_derm.taxonomy import LabelSet


class PadUfes20(skinframe.Dataset):
    """PAD-UFES-20 (Pacheco et al. 2020, doi 10.1016/j.dib.2020.106221).

    Whether a lesion was biopsied, and every column that only biopsied patients filled in, is never read.
    """

    name, level = "pad_ufes_20", "patient"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        root: str = ""  # the folder of the unpacked download
        label_set: LabelSet = "own"

    config: Config
    context = context
    classes, fields, attributes = property(of.classes), property(of.fields), property(of.attributes)
    missing, samples, left_out, digest = of.missing, of.samples, of.left_out, of.digest
    image_bytes = of.image_bytes
    facts, reading = cached_property(of.facts_of), cached_property(of.read)
    rows = of.one_table
