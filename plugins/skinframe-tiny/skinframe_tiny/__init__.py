"""The embedded default of skinframe: synthetic dermoscopy and tiny weights."""

from __future__ import annotations

import skinframe
from skinframe_tiny.dataset import SyntheticDermoscopy
from skinframe_tiny.planted import PlantedDermoscopy


@skinframe.hookimpl
def register_datasets() -> list[type[skinframe.Dataset]]:
    """Return the synthetic data set, and the one with faults in it."""
    return [SyntheticDermoscopy, PlantedDermoscopy]
