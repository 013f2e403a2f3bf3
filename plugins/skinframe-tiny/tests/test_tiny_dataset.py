"""The data set: the same bytes anywhere, patients apart, and masks where the structures are."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from skinframe_tiny import SyntheticDermoscopy, likelihoods, patients, rendering

import skinframe

Config = SyntheticDermoscopy.Config
HASH = """
import hashlib
from skinframe_tiny import SyntheticDermoscopy
data = SyntheticDermoscopy(SyntheticDermoscopy.Config(images=12, seed=3))
print(hashlib.sha256(b"".join(data.image_bytes(s) for s in reversed(data.samples()))).hexdigest())
"""


@pytest.fixture(scope="module")
def data() -> SyntheticDermoscopy:
    return SyntheticDermoscopy(Config())


def _with(shown: patients.Photograph, name: str, present: bool) -> patients.Photograph:
    """Return the same photograph with one attribute drawn or left out and all other seeds kept."""
    marks = tuple(
        present if a == name else mark
        for a, mark in zip(likelihoods.ATTRIBUTES, shown.findings.attributes, strict=True)
    )
    return dataclasses.replace(shown, findings=dataclasses.replace(shown.findings, attributes=marks))


def test_two_processes_and_two_orders_give_the_same_bytes() -> None:
    here = SyntheticDermoscopy(Config(images=12, seed=3))
    images = [here.image_bytes(sample) for sample in here.samples()]
    told = subprocess.run([sys.executable, "-c", HASH], capture_output=True, text=True, check=True).stdout.strip()
    assert told == hashlib.sha256(b"".join(reversed(images))).hexdigest()
    assert len(set(images)) == len(images)


def test_a_larger_set_begins_with_the_smaller_and_another_seed_is_another_world() -> None:
    small, large = SyntheticDermoscopy(Config(images=20)), SyntheticDermoscopy(Config(images=50))
    assert list(large.samples())[:20] == list(small.samples())
    other = SyntheticDermoscopy(Config(images=20, seed=1))
    assert [s.label for s in other.samples()] != [s.label for s in small.samples()]
    assert len({d.digest() for d in (small, large, other)}) == 3
    assert small.digest() == SyntheticDermoscopy(Config(images=20)).digest()


@pytest.mark.parametrize("size", [128, 160])
def test_images_are_rgb_of_the_size_asked(size: int) -> None:
    data = SyntheticDermoscopy(Config(images=3, size=size))
    for sample in data.samples():
        image = Image.open(io.BytesIO(data.image_bytes(sample)))
        assert (image.mode, image.size, image.format) == ("RGB", (size, size), "PNG")
        assert np.asarray(image).std() > 10


def test_long_tail_leaves_at_least_forty_of_each_class(data: SyntheticDermoscopy) -> None:
    counts = Counter(sample.label for sample in data.samples())
    assert len(data.samples()) == 2000
    assert min(counts[c] for c in range(8)) >= 40
    assert counts.most_common(1)[0][0] == likelihoods.CLASSES.index("NV")


def test_ids_patients_and_lesions_fit_together(data: SyntheticDermoscopy) -> None:
    samples = data.samples()
    assert len({s.id for s in samples}) == len(samples)
    lesions = {s.lesion: s for s in samples}
    for sample in samples:
        first = lesions[sample.lesion]
        same = (first.patient, first.label, first.metadata, first.attributes)
        assert (sample.patient, sample.label, sample.metadata, sample.attributes) == same
        assert all(field.problem(sample.metadata[field.name]) is None for field in data.fields)
    assert len({s.patient for s in samples}) < len(lesions) < len(samples)
    assert 0.01 < np.mean([s.metadata["age"] is None for s in samples]) < 0.06


def test_repeat_photographs_differ_in_pixels_but_not_in_findings(data: SyntheticDermoscopy) -> None:
    repeats = [s for s in data.samples() if s.id.endswith("-1")][:5]
    by_id = {s.id: s for s in data.samples()}
    for sample in repeats:
        first = by_id[sample.id.removesuffix("1") + "0"]
        assert data.image_bytes(first) != data.image_bytes(sample)
        np.testing.assert_array_equal(data.posterior(first), data.posterior(sample))


def test_masks_name_the_present_attributes_and_lie_in_the_picture(data: SyntheticDermoscopy) -> None:
    for sample in data.samples()[:60]:
        masks = data.masks(sample)
        present = {name for name, mark in zip(likelihoods.ATTRIBUTES, sample.attributes, strict=True) if mark}
        assert set(masks) == {"lesion"} | present
        assert 0.08 < masks["lesion"].mean() < 0.6
        for name in present:
            assert masks[name].shape == (128, 128)
            assert masks[name].sum() >= 12, (sample.id, name)


@pytest.mark.parametrize("name", likelihoods.ATTRIBUTES)
def test_an_attribute_changes_the_picture_inside_its_mask_only(name: str) -> None:
    for shown in patients.photographs(5, 12):
        with_it, without = _with(shown, name, True), _with(shown, name, False)
        change = np.abs(rendering.picture(with_it, 128).astype(int) - rendering.picture(without, 128).astype(int)).max(
            axis=2
        )
        mask = rendering.masks(with_it, 128)[name]
        hidden = rendering.picture(with_it, 128).max(axis=2) < 12  # outside the round field of view
        assert change[mask & ~hidden].mean() > 4 * max(change[~mask].mean(), 0.5), shown.sample.id
        assert change.max() > 40, shown.sample.id


def test_the_picture_knows_nothing_of_the_label() -> None:
    shown = patients.photographs(5, 1)[0]
    other = dataclasses.replace(shown, sample=dataclasses.replace(shown.sample, label=(shown.sample.label + 1) % 8))
    np.testing.assert_array_equal(rendering.picture(shown, 128), rendering.picture(other, 128))


def test_foreign_sample_is_refused_with_a_next_step(data: SyntheticDermoscopy) -> None:
    stranger = dataclasses.replace(data.samples()[0], id="P99999-L0-0")
    with pytest.raises(skinframe.DataError, match=r"P99999-L0-0.*take samples from samples\(\)"):
        data.image_bytes(stranger)


@pytest.mark.parametrize("options", [{"images": 0}, {"size": 64}, {"size": 5000}])
def test_options_out_of_range_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Config(**options)


def test_the_plugin_is_light_and_registers_the_set() -> None:
    code = "import skinframe_tiny as t, sys; print(t.register_datasets()[0].name, 'torch' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.split() == ["synthetic_dermoscopy", "False"]
