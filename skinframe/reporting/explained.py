"""What a report says of rationales and heat maps."""

from __future__ import annotations

from dataclasses import dataclass

from skinframe.reporting.figures import Check, Estimate, Number

# heat maps are called grounded only if each of these tests was made and passed
GROUNDING_TESTS = ("localisation", "causal effect", "sanity")
RATIONALE_TEST = "attributes right more often than the majority answer"


@dataclass(frozen=True, kw_only=True)
class AttributeRow:
    """How often written rationales state one attribute rightly, beside always saying the majority answer."""

    name: str
    accuracy: Estimate
    majority: Estimate | None = None
    mentioned: Number = None


@dataclass(frozen=True, kw_only=True)
class RationaleQuality:
    """Attributes read back from the generated rationales of the test set."""

    n: int
    accuracy: Estimate
    majority: Estimate | None = None
    attributes: tuple[AttributeRow, ...] = ()
    test: Check | None = None


@dataclass(frozen=True, kw_only=True)
class Grounding:
    """How much heat falls where it should: lift is heat inside / heat expected of the baseline, 1 is chance."""

    n: int
    target: str = "lesion mask"
    lift_over_area: Estimate | None = None
    lift_over_centre: Estimate | None = None
    tests: tuple[Check, ...] = ()  # localisation, causal effect, sanity; "grounded" is said only if all pass
