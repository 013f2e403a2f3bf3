"""A copy of the official layout, built here, and the real files where they stand beside the project."""

import io
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skinframe_derm import ClinicalTemplate, Ham10000

from skinframe import DataError
from skinframe.data.group_split import make_split
from skinframe.data.image_table import image_table
from skinframe.data.manifest import check_samples

HEADER = "lesion_id,image_id,dx,dx_type,age,sex,localization"
ROWS = (
    "HAM_0000001,ISIC_0000003,akiec,histo,80.0,male,scalp",
    "HAM_0000001,ISIC_0000001,akiec,histo,80.0,male,scalp",
    "HAM_0000002,ISIC_0000002,nv,follow_up,,unknown,unknown",
)
REAL = Path(__file__).parents[4] / "shared" / "data" / "ham10000"


def jpeg(seed: int) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (30, 40, 3), np.uint8)).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    parts = [tmp_path / f"HAM10000_images_part_{number}" for number in (1, 2)]
    for part in parts:
        part.mkdir()
    for number in (1, 2, 3):
        (parts[number % 2] / f"ISIC_000000{number}.jpg").write_bytes(jpeg(number))
    write(tmp_path, *ROWS)
    return tmp_path


def write(root: Path, *rows: str, header: str = HEADER, end: str = "\n", encoding: str = "utf-8") -> None:
    (root / "HAM10000_metadata.csv").write_bytes((end.join([header, *rows]) + end).encode(encoding))


def at(root: Path, **options: str) -> Ham10000:
    return Ham10000(Ham10000.Config(root=str(root), **options))  # type: ignore[arg-type]


def test_official_layout(root: Path) -> None:
    data = at(root)
    assert data.missing() == []
    assert data.level == "lesion"
    samples = data.samples()
    check_samples(samples, data.fields, data.classes)
    assert [s.id for s in samples] == ["ISIC_0000001", "ISIC_0000002", "ISIC_0000003"]
    assert [data.classes[s.label] for s in samples] == ["akiec", "nv", "akiec"]
    assert samples[0].metadata == {"age": 80.0, "sex": "male", "site": "scalp"}
    assert samples[1].metadata == {"age": None, "sex": None, "site": None}
    assert samples[0].group == samples[2].group == "lesion:HAM_0000001"
    assert [data.image_bytes(s) for s in samples] == [jpeg(1), jpeg(2), jpeg(3)]
    assert data.masks(samples[0]) == {}


def test_masks_are_cut_at_half_grey(root: Path) -> None:
    folder = root / "HAM10000_segmentations_lesion_tschandl"
    folder.mkdir()
    ramp = np.tile(np.arange(0, 240, 6, dtype=np.uint8), (30, 1))
    Image.fromarray(ramp).save(folder / "ISIC_0000001_segmentation.png")
    data = at(root)
    mask = data.masks(data.samples()[0])["lesion"]
    assert mask.shape == (30, 40)
    assert (mask == (ramp > 127)).all()


def test_dx_type_is_never_read(root: Path) -> None:
    before = at(root).samples()
    write(root, *(row.replace("histo", "confocal") for row in ROWS))
    assert at(root).samples() == before
    assert "histo" not in repr(before)
    assert "follow_up" not in repr(before)


def test_eight_classes_need_the_2019_labels_beside_the_official_copy(root: Path) -> None:
    (needed,) = at(root, label_set="isic8").missing()
    assert "ISIC_2019_Training_GroundTruth.csv" in needed.what
    columns = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")
    lines = ["image," + ",".join(columns)]
    for name, label in (("ISIC_0000001", "SCC"), ("ISIC_0000002", "NV"), ("ISIC_0000003", "SCC")):
        lines.append(name + "," + ",".join("1.0" if column == label else "0.0" for column in columns))
    (root / "ISIC_2019_Training_GroundTruth.csv").write_text("\n".join(lines[:-1]))
    with pytest.raises(DataError, match="ISIC_0000003 has no class in ISIC_2019"):
        at(root, label_set="isic8").samples()
    (root / "ISIC_2019_Training_GroundTruth.csv").write_text("\n".join(lines))
    data = at(root, label_set="isic8")
    assert [data.classes[s.label] for s in data.samples()] == ["SCC", "NV", "SCC"]
    assert data.digest() != at(root).digest()


def test_missing_says_where_to_download(tmp_path: Path) -> None:
    (nothing,) = Ham10000().missing()
    assert "--set data.config.root" in nothing.next_step
    found = at(tmp_path).missing()
    assert [requirement.kind for requirement in found] == ["data"] * 3
    assert "doi.org/10.7910/DVN/DBW86T" in found[0].next_step
    assert "CC BY-NC 4.0" in found[0].next_step
    with pytest.raises(DataError, match=r"HAM10000_metadata\.csv does not exist; download"):
        at(tmp_path).samples()


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("HAM_1,ISIC_9,melanoma,histo,40,male,back", "line 5: dx: 'melanoma' is not one of akiec, bcc"),
        ("HAM_1,ISIC_9,,histo,40,male,back", "line 5: no dx"),
        ("HAM_1,ISIC_9,nv,histo,400,male,back", r"line 5: age: '400' is not a number in \[0, 120\]"),
        ("HAM_1,ISIC_9,nv,histo,1e999,male,back", "line 5: age: '1e999' is not a number"),
        ("HAM_1,ISIC_9,nv,histo,40,m,back", "line 5: sex: 'm' is not one of female, male"),
        ("HAM_1,ISIC_9,nv,histo,40,male,diagnosis: benign", "line 5: localization: 'diagnosis: benign' is not"),
        (",ISIC_9,nv,histo,40,male,back", "line 5: no lesion_id"),
        ("HAM_1,../../etc/passwd,nv,histo,40,male,back", "line 5: image_id '../../etc/passwd' is not an image id"),
        ("HAM_1,ISIC_0000001,nv,histo,40,male,back", "line 5: image_id ISIC_0000001 stands in an earlier line"),
        ("HAM_1,ISIC_9,nv,histo,40,male", "line 5: 6 cells where the header has 7"),
        ('HAM_1,ISIC_9,nv,histo,40,male,"back', "line 5: unexpected end of data"),
        ("HAM_1,ISIC_9,nv,histo,40,male," + "x" * 70_000, "longer than 65536 characters"),
    ],
)
def test_bad_rows_name_file_and_line(root: Path, row: str, said: str) -> None:
    write(root, *ROWS, row)
    with pytest.raises(DataError, match=rf"HAM10000_metadata\.csv: 1 problem\n  (.*){said}"):
        at(root).samples()


def test_every_bad_row_is_listed_at_once(root: Path) -> None:
    write(root, *(f"HAM_{n},ISIC_{n},nv,histo,{n},male,back" for n in range(115, 165)))
    with pytest.raises(DataError) as raised:
        at(root).samples()
    lines = str(raised.value).splitlines()
    assert lines[0].endswith("HAM10000_metadata.csv: 44 problems")
    assert lines[1].startswith("  line 8: age: '121' is not")
    assert lines[-1] == "  … and 24 more"


def test_byte_order_mark_and_windows_line_ends_are_read(root: Path) -> None:
    plain = at(root).samples()
    write(root, *ROWS, end="\r\n", encoding="utf-8-sig")
    assert at(root).samples() == plain


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "line 1: no column image_id, lesion_id"),
        (b"\xff\xfe\x00\x01", "is not UTF-8 text"),
        (b"image_id,lesion_id,dx,age,sex\n", "line 1: no column localization; the header is image_id"),
        (b"image_id,image_id,lesion_id,dx,age,sex,localization\n", "column image_id stands twice"),
    ],
)
def test_what_is_no_table(root: Path, content: bytes, said: str) -> None:
    (root / "HAM10000_metadata.csv").write_bytes(content)
    with pytest.raises(DataError, match=said):
        at(root).samples()


def test_a_file_of_one_endless_line_is_refused_in_little_memory(root: Path) -> None:
    with (root / "HAM10000_metadata.csv").open("wb") as file:
        file.truncate(2**30)  # a sparse gigabyte of NULs
    began = time.perf_counter()
    with pytest.raises(DataError, match="longer than 65536 characters"):
        at(root).samples()
    assert time.perf_counter() - began < 5


def test_bad_files_follow_the_policy(root: Path) -> None:
    (root / "HAM10000_images_part_1" / "ISIC_0000002.jpg").write_bytes(jpeg(2)[:-200])
    (root / "HAM10000_images_part_2" / "ISIC_0000001.jpg").unlink()
    data = at(root)
    with pytest.raises(DataError, match=r"2 of 3 cannot be used(.|\n)*ISIC_0000001: no such file"):
        image_table(data, data.samples())
    table = image_table(data, data.samples(), policy="quarantine", max_fraction=0.7)
    assert [name for name, _ in table.quarantined] == ["ISIC_0000001", "ISIC_0000002"]
    assert table.keys[2] is not None


def test_digest_follows_the_table_and_not_the_place(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = tmp_path_factory.mktemp("elsewhere")
    for name in ("HAM10000_images_part_1", "HAM10000_images_part_2"):
        (other / name).mkdir()
    write(other, *ROWS)
    assert at(root).digest() == at(other).digest()
    write(other, *ROWS[:2])
    assert at(root).digest() != at(other).digest()


@pytest.fixture(scope="module")
def real() -> Ham10000:
    if not REAL.is_dir():
        pytest.skip("the real HAM10000 files do not stand beside this project (../shared/data/ham10000)")
    return at(REAL)


@pytest.mark.shared
def test_real_counts(real: Ham10000) -> None:
    samples = real.samples()
    check_samples(samples, real.fields, real.classes)
    assert len(samples) == 10_015
    assert len({s.lesion for s in samples}) == 7_470
    counts = Counter(real.classes[s.label] for s in samples)
    assert counts == {"nv": 6705, "mel": 1113, "bkl": 1099, "bcc": 514, "akiec": 327, "vasc": 142, "df": 115}
    assert sum(s.metadata["age"] is None for s in samples) == 57
    assert sum(s.metadata["sex"] is None for s in samples) == 57
    assert sum(s.metadata["site"] is None for s in samples) == 234
    binary = at(REAL, label_set="malignancy")
    assert Counter(binary.classes[s.label] for s in binary.samples()) == {"benign": 8061, "malignant": 1627}
    assert binary.left_out() == {"akiec": 327}
    eight = at(REAL, label_set="isic8")
    counts = Counter(eight.classes[s.label] for s in eight.samples())
    assert (counts["AK"], counts["SCC"], counts["NV"]) == (130, 197, 6705)


@pytest.mark.shared
def test_no_real_lesion_stands_in_two_splits(real: Ham10000) -> None:
    samples = real.samples()
    digests = set()
    for seed in range(5):
        split = make_split(samples, seed=seed)
        parts = [{samples[i].lesion for i in split.part(name)} for name in ("train", "valid", "test")]
        assert sum(map(len, parts)) == len(set.union(*parts)) == 7_470
        table = split.counts(samples, real.classes)
        assert table["test"]["df"] in range(15, 20)
        assert abs(table["train"]["nv"] - 0.7 * 6705) < 5
        digests.add(split.digest)
    assert len(digests) == 5


@pytest.mark.shared
def test_real_images_masks_and_questions(real: Ham10000) -> None:
    chosen = real.samples()[::200]
    table = image_table(real, chosen, workers=1)
    assert not table.quarantined
    assert all(table.image(i).size == (200, 150) for i in range(len(chosen)))
    shares = [real.masks(sample)["lesion"].mean() for sample in chosen]
    assert 0.1 < float(np.mean(shares)) < 0.5
    prompt = ClinicalTemplate()
    for sample in real.samples():
        assert "What is the diagnosis?" in prompt.question(sample, real.fields).user
