"""The embedded default of skinframe: synthetic dermoscopy and tiny weights."""

from __future__ import annotations

import skinframe
from skinframe_tiny.planted_faults import PlantedDermoscopy
from skinframe_tiny.synthetic_dermoscopy import SyntheticDermoscopy


@skinframe.hookimpl
def register_datasets() -> list[type[skinframe.Dataset]]:
    """Return the synthetic data set, and the one with faults in it."""
    return [SyntheticDermoscopy, PlantedDermoscopy]
