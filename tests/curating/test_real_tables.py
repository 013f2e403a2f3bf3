"""The cross-set part of the audit on the real tables of ISIC 2019, HAM10000 and UDA-1; no image is read."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from skinframe_derm import Ham10000, Isic2019, PadUfes20, Table

from skinframe.components import Dataset
from skinframe.curating.dataset_comparison import shared_ids
from skinframe.curating.distance_tiers import tier_of, tiers, wilson_half_width, words
from skinframe.curating.leak_probes import fact_probes, field_probes, file_probes, judged, probed
from skinframe.data.group_split import PARTS, make_split
from skinframe.data.groups import split_leaks
from skinframe.data.kfold import make_folds

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real tables do not lie beside the project"),
]


@pytest.fixture(scope="module")
def isic2019() -> Isic2019:
    return Isic2019(Isic2019.Config(root=str(SHARED / "tables")))


@pytest.fixture(scope="module")
def ham() -> Ham10000:
    return Ham10000(Ham10000.Config(root=str(SHARED / "ham10000")))


@pytest.fixture(scope="module")
def uda1(tmp_path_factory: pytest.TempPathFactory) -> Table:
    root = tmp_path_factory.mktemp("uda1")
    with (SHARED / "isic_uda1" / "metadata.csv").open() as file, (root / "manifest.csv").open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "image", "label"])
        for row in csv.DictReader(file):
            if row["diagnosis"]:
                writer.writerow([row["image_id"], f"{row['image_id']}.jpg", row["diagnosis"]])
    return Table(Table.Config(root=str(root), groups="image"))


def test_isic_2019_holds_all_of_ham10000(isic2019: Isic2019, ham: Ham10000) -> None:
    found = {
        finding.name: finding.sentence for finding in shared_ids(list(isic2019.samples()), ham.samples(), "ham10000")
    }
    assert found["across:ham10000:id"].startswith("10,015 images have the same id")
    assert "across:ham10000:lesion" in found


def test_isic_2019_and_uda_1_share_264_ids_and_more_but_for_a_suffix(isic2019: Isic2019, uda1: Table) -> None:
    found = {
        finding.name: finding.sentence for finding in shared_ids(list(isic2019.samples()), list(uda1.samples()), "uda1")
    }
    assert found["across:uda1:id"].startswith("264 images have the same id")
    assert found["across:uda1:id-but-suffix"].startswith("211 more")
    assert shared_ids(uda1.samples(), Ham10000(Ham10000.Config(root=str(SHARED / "ham10000"))).samples(), "h") == []


def leaks(data: Dataset) -> set[str]:
    """Return the leaks of everything but the words of the questions."""
    samples = list(data.samples())
    known = probed(samples, data.classes)
    probes = [*field_probes(samples, known), *file_probes(samples, known, {})]
    probes += fact_probes([data.context(sample) for sample in samples], known)
    return {finding.name for finding in judged(probes) if finding.level == "leak"}


def test_the_real_tables_as_their_policies_read_them_raise_nothing(isic2019: Isic2019, ham: Ham10000) -> None:
    assert leaks(ham) == set()
    assert leaks(isic2019) == set()


@pytest.mark.parametrize("skin_type", [False, True])
def test_a_skin_type_that_only_biopsied_patients_have_is_a_leak(tmp_path: Path, skin_type: bool) -> None:
    """Three in four benign lesions of PAD-UFES-20 have none, and no cancer; its file numbers tell, whatever is read."""
    shutil.copy(SHARED / "pad_ufes_20" / "metadata_all_2298.csv", tmp_path / "metadata.csv")
    data = PadUfes20(PadUfes20.Config(root=str(tmp_path), label_set="malignancy", skin_type=skin_type))
    assert leaks(data) - {"file-name:number"} == ({"field:skin_type", "missing"} if skin_type else set())


def test_institutions_place_ham10000_where_isic_2019_was_seen(isic2019: Isic2019, ham: Ham10000) -> None:
    train = [isic2019.context(sample) for sample in isic2019.samples()]
    assert {word for one in train for word in words(one, "institution")} == {"Vienna", "Queensland", "Barcelona", "MSK"}
    samples = list(ham.samples())
    rows = tiers("ham10000", samples, [ham.context(sample) for sample in samples], ham.classes, train)
    assert [(row.name, row.images) for row in rows] == [("T1", 10015)]
    seen = {"institution": frozenset({"MSK"}), "modality": frozenset({"dermoscopy"})}
    assert tier_of({"institution": "MSK", "modality": "clinical photograph"}, seen) == "T2"
    assert tier_of({"institution": "Athens", "modality": "dermoscopy"}, seen) == "T3"
    assert tier_of({"institution": "Athens", "modality": "clinical photograph"}, seen) == "T4"
    assert tier_of({"modality": "dermoscopy"}, seen) == "unplaced"
    assert wilson_half_width(40) > 0.10 > wilson_half_width(80)


def test_no_lesion_of_ham10000_is_divided_by_some_seeds(ham: Ham10000) -> None:
    """A hundred seeds: tests/benchmarks/ham_splits.py."""
    samples = list(ham.samples())
    assert len({sample.lesion for sample in samples}) == 7470
    for seed in range(3):
        split = make_split(samples, seed=seed)
        assert not split_leaks({i: name for name in PARTS for i in split.part(name)}, samples)
    folds = make_folds(samples, folds=5, seed=0)
    assert not split_leaks({i: str(fold) for i, fold in enumerate(folds)}, samples)
