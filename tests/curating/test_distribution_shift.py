"""Energy distance and MMD against other definitions of them, and their permutation test on grouped data."""

from __future__ import annotations

import numpy as np
import pytest

from skinframe.curating.distribution_shift import contrast, energy_distances, gaussian, shift, squared_mmds


def two(n: int = 40, m: int = 25, moved: float = 0.7, width: int = 1) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(5)
    points = np.concatenate([random.normal(size=(n, width)), random.normal(moved, 1.3, size=(m, width))])
    return points, np.arange(n + m) < n


def test_energy_distance_is_the_square_of_scipys() -> None:
    from scipy.spatial.distance import cdist
    from scipy.stats import energy_distance

    points, mine = two()
    ours = energy_distances(cdist(points, points), contrast(mine)[:, None])[0]
    assert ours == pytest.approx(energy_distance(points[mine, 0], points[~mine, 0]) ** 2)


def test_energy_distance_in_one_dimension_is_twice_cramers() -> None:
    """2 ∫ (F - G)², Székely and Rizzo 2013."""
    from scipy.spatial.distance import cdist

    points, mine = two()
    edges = np.sort(points[:, 0])
    cut = edges[:-1]
    f, g = ((points[side, 0][:, None] <= cut).mean(0) for side in (mine, ~mine))
    assert energy_distances(cdist(points, points), contrast(mine)[:, None])[0] == pytest.approx(
        2 * np.sum((f - g) ** 2 * np.diff(edges))
    )


def test_mmd_of_the_linear_kernel_is_the_distance_of_the_means() -> None:
    points, mine = two(width=3)
    means = points[mine].mean(0) - points[~mine].mean(0)
    assert squared_mmds(points @ points.T, contrast(mine)[:, None])[0] == pytest.approx(means @ means)


def test_mmd_by_its_definition_and_by_its_limit_for_normals() -> None:
    from scipy.spatial.distance import cdist

    points, mine = two(width=2)
    kernel = gaussian(cdist(points, points))
    x, y = np.flatnonzero(mine), np.flatnonzero(~mine)
    parts = [np.mean([[kernel[i, j] for j in b] for i in a]) for a, b in ((x, x), (y, y), (x, y))]
    assert squared_mmds(kernel, contrast(mine)[:, None])[0] == pytest.approx(parts[0] + parts[1] - 2 * parts[2])
    random = np.random.default_rng(0)  # N(0, 1) and N(1, 1) with width 1: 2 (1 - exp(-1/6)) / √3
    points = np.concatenate([random.normal(size=(1500, 1)), random.normal(1, 1, size=(1500, 1))])
    kernel = np.exp(-0.5 * cdist(points, points) ** 2)
    expected = 2 * (1 - np.exp(-1 / 6)) / np.sqrt(3)
    assert squared_mmds(kernel, contrast(np.arange(3000) < 1500)[:, None])[0] == pytest.approx(expected, abs=0.02)


def test_equal_sets_lie_nowhere_and_moved_ones_far() -> None:
    points, mine = two(30, 30, moved=0)
    twice = np.concatenate([points[mine], points[mine]])
    same = shift(twice, mine, np.arange(60))
    assert same.energy == pytest.approx(0, abs=1e-12)
    assert same.energy_p == same.mmd_p == 1
    points, mine = two(moved=1.5)
    far = shift(points, mine, np.arange(65))
    assert far.energy_p == far.mmd_p == 1 / 200


def test_images_of_one_patient_are_no_independent_evidence() -> None:
    """Eight like images of each of 20 patients of one law: dealt by patient p is right, by image far too small."""
    by_patient, by_image = [], []
    for seed in range(60):
        random = np.random.default_rng(seed)
        patients = np.repeat(np.arange(20), 8)
        points = random.normal(size=(20, 1))[patients] + 0.1 * random.normal(size=(160, 1))
        mine = patients < 10
        by_patient.append(shift(points, mine, patients, seed).energy_p)
        by_image.append(shift(points, mine, np.arange(160), seed).energy_p)
    assert 0 <= np.mean(np.array(by_patient) <= 0.1) <= 0.2
    assert np.mean(np.array(by_image) <= 0.1) > 0.5
