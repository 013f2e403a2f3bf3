"""The result of an audit: findings with a name and a level, and the tables behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["leak", "watch"]  # a leak must be fixed or accepted by name; "watch" is information
Number = float | None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that an audit found. `name` is what `--accept` takes, such as 'split:lesion' or 'field:age'."""

    name: str
    level: str
    sentence: str
    examples: tuple[str, ...] = ()
    accepted: bool = False

    @property
    def stands(self) -> bool:
        return self.level == "leak" and not self.accepted


@dataclass(frozen=True, kw_only=True)
class Probe:
    """How well one thing alone tells the label: the best one-against-rest AUROC over the classes, and what it settles.

    `settled` is the share of class `settles` that it names with at most 1 in 100 wrong. A leak is an AUROC above
    `limit` or a share of at least one half.
    """

    name: str
    auroc: Number
    label: str = ""  # the class that it is best for
    settled: Number = None
    settles: str = ""  # the class that it settles most of
    limit: float | None = 0.9  # none where the AUROC alone decides nothing
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two images that look like copies. Thumbnails are JPEG made from pixels; `right` is turned to lie on `left`."""

    first: str
    second: str
    score: float
    verdict: str  # "copy" or "look-alike"
    facts: tuple[str, ...] = ()  # what agrees and what does not, in words
    other_set: str = ""
    left: bytes = b""
    right: bytes = b""


@dataclass(frozen=True, kw_only=True)
class ClassBalance:
    """One part of the split, or the whole set: images, groups and images of each class."""

    name: str
    images: int
    groups: int
    classes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Subgroup:
    """One value of one field (or 'not recorded'): images of each class."""

    column: str
    value: str
    images: int
    classes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Tier:
    """Images of another set at one distance from the training set."""

    name: str
    meaning: str
    other_set: str
    images: int
    classes: Mapping[str, int] = field(default_factory=dict)
    claim: str = ""  # what this many images can and cannot carry


@dataclass(frozen=True, kw_only=True)
class Apart:
    """How well one view tells another set (or one source of this set) from this set, and how far they lie apart.

    `auroc` is that of a classifier on other groups. Energy distance and squared MMD come with the share of dealings of
    the groups at random that lie as far apart.
    """

    other_set: str
    tier: str
    view: str
    images: int  # of the other side that were compared
    auroc: Number
    energy: Number = None
    energy_p: Number = None
    mmd: Number = None
    mmd_p: Number = None


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Everything that an audit found of one set, and across it and others."""

    name: str
    level: str  # what a group is: patient, lesion or image
    date: str
    version: str
    images: int
    groups: int
    classes: tuple[str, ...]
    searched: str  # what was looked for and what was not, in one sentence
    findings: tuple[Finding, ...] = ()
    probes: tuple[Probe, ...] = ()
    parts: tuple[ClassBalance, ...] = ()
    subgroups: tuple[Subgroup, ...] = ()
    tiers: tuple[Tier, ...] = ()
    apart: tuple[Apart, ...] = ()
    pairs: tuple[Pair, ...] = ()

    @property
    def standing(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.stands)
