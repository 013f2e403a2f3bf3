"""The synthetic set keeps the data set's contract."""

from __future__ import annotations

from skinframe_tiny import PlantedDermoscopy, SyntheticDermoscopy

from skinframe.testing import dataset_contract

Config = SyntheticDermoscopy.Config


@dataset_contract(SyntheticDermoscopy(Config(images=40)), SyntheticDermoscopy(Config(images=12, seed=3)))
def test_synthetic_dermoscopy(dataset, check):
    check(dataset)


@dataset_contract(PlantedDermoscopy(PlantedDermoscopy.Config(images=30, leak=True, copies=2, marks="telling")))
def test_planted_dermoscopy(dataset, check):
    check(dataset)
