"""Distance of another set from the training set: same or other institution, modality, population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from skinframe.curating.audit_result import Tier
from skinframe.curating.class_counts import class_counts
from skinframe.sample import Sample

MEANING = {
    "T1": "institution and modality of the training set; in distribution where no component is shared",
    "T2": "an institution of the training set, another modality",
    "T3": "another institution, the same modality",
    "T4": "another institution and another modality",
    "unplaced": "institution or modality is not known",
}
HALF_WIDTH = 0.10  # of the 95 % interval of a sensitivity; wider carries no claim
Facts = Mapping[str, str]


def tier_of(facts: Facts, seen: Mapping[str, frozenset[str]]) -> str:
    """Return the tier of one image. `seen` holds the training set's words for 'institution' and 'modality'.

    An entry may name several institutions, with commas between; one that was seen makes the image seen.
    """
    institution, modality = words(facts, "institution"), words(facts, "modality")
    if not (institution and modality and seen["institution"] and seen["modality"]):
        return "unplaced"
    same_place = bool(institution & seen["institution"])
    same_kind = bool(modality & seen["modality"])
    if same_place:
        return "T1" if same_kind else "T2"
    return "T3" if same_kind else "T4"


def tiers(
    other_set: str, samples: Sequence[Sample], facts: Sequence[Facts], classes: Sequence[str], train: Sequence[Facts]
) -> tuple[Tier, ...]:
    """Return one row for each tier that the other set's images fall into, with what its classes can carry."""
    rows = []
    for name, members in placed(facts, train).items():
        counts = class_counts([samples[row] for row in members], classes)
        rows.append(
            Tier(
                name=name,
                meaning=MEANING[name],
                other_set=other_set,
                images=len(members),
                classes=counts,
                claim=_claim(counts),
            )
        )
    return tuple(rows)


def placed(facts: Sequence[Facts], train: Sequence[Facts]) -> dict[str, list[int]]:
    """Return the rows of another set by the tier that they fall into, nearest first."""
    seen = {key: frozenset().union(*(words(known, key) for known in train)) for key in ("institution", "modality")}
    held: dict[str, list[int]] = {}
    for row, known in enumerate(facts):
        held.setdefault(tier_of(known, seen), []).append(row)
    return {name: held[name] for name in MEANING if name in held}


def words(facts: Facts, key: str) -> frozenset[str]:
    return frozenset(word.strip() for word in facts.get(key, "").split(",") if word.strip())


def wilson_half_width(n: int, share: float = 0.8) -> float:
    """Return half the width of Wilson's 95 % interval (Wilson 1927) of a proportion `share` among n."""
    z = 1.959964
    return float(z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5)


def _claim(counts: Mapping[str, int]) -> str:
    thin = [name for name, count in counts.items() if count > 0 and wilson_half_width(count) > HALF_WIDTH]
    absent = [name for name, count in counts.items() if not count]
    claims = []
    if thin:
        claims.append(f"too few images of {', '.join(thin)} for a sensitivity to within ±0.10")
    if absent:
        claims.append(f"none of {', '.join(absent)}")
    return "; ".join(claims)
