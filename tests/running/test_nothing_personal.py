"""What identifies a person in an image file, a path or a column is in no byte that a run writes."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from PIL import Image, PngImagePlugin

SECRETS = (
    "Jane Doe",
    "Jane_Doe",
    "MRN-4711",
    "N48.2082",
    "xmp-patient",
    "icc-profile-of-clinic",
    "free text of the chart",
)


def planted(picture: Image.Image, number: int) -> bytes:
    """Return a JPEG or PNG whose every metadata block names somebody."""
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010E], exif[0x013B] = "Jane Doe, born 1950", "N48.2082"
    exif.get_ifd(0x8825)[29] = "N48.2082"  # the GPS block
    icc = b"icc-profile-of-clinic" * 8
    if number % 2:
        text = PngImagePlugin.PngInfo()
        text.add_text("Patient", "Jane Doe MRN-4711")
        text.add_itxt("XML:com.adobe.xmp", "xmp-patient")
        picture.save(out, "PNG", exif=exif, pnginfo=text, icc_profile=icc)
    else:
        picture.save(out, "JPEG", exif=exif, comment=b"Jane Doe MRN-4711", xmp=b"xmp-patient", icc_profile=icc)
    return out.getvalue()


def folder_of(root: Path) -> Path:
    from skinframe_tiny import SyntheticDermoscopy

    dataset = SyntheticDermoscopy(SyntheticDermoscopy.Config(images=36, seed=5))
    (root / "Jane_Doe").mkdir(parents=True)
    with (root / "manifest.csv").open("w", newline="") as stream:
        table = csv.writer(stream)
        table.writerow(["id", "image", "label", "patient", "age", "notes"])
        for n, sample in enumerate(dataset.samples()):
            data = planted(Image.open(io.BytesIO(dataset.image_bytes(sample))), n)
            path = root / "Jane_Doe" / f"{n:02d}.img"
            path.write_bytes(data[:900] if n == 3 else data)
            table.writerow([f"i{n:02d}", f"Jane_Doe/{n:02d}.img", n % 2, f"p{n // 2}", 60, "free text of the chart"])
    (root / "Jane_Doe" / "05.img").unlink()
    return root


def everything(folder: Path) -> list[tuple[str, bytes]]:
    """Return every file's name and bytes, with those of packed formats unpacked too."""
    found = [(str(path.relative_to(folder)), path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    for path in folder.rglob("*.parquet"):
        found.append((f"{path.name} unpacked", repr(pq.read_table(path).to_pylist()).encode()))
    for path in folder.rglob("*.pt"):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                found += [(name, archive.read(name)) for name in archive.namelist()]
    return found


def test_no_planted_word_is_in_run_or_cache(small: Any, tmp_path: Path) -> None:
    import skinframe

    root = folder_of(tmp_path / "data")
    preset = tmp_path / "table.yaml"
    preset.write_text(f"data: {{use: table, config: {{root: {root}, classes: ['0', '1']}}}}\n")
    kept = [one for one in small.overrides if not one.startswith("data.")]
    overrides = [*kept, "train.epochs=1", "images.max_fraction=0.2"]
    result = skinframe.run(
        small.recipe, presets=[str(preset)], overrides=overrides, out=tmp_path / "out", cache=tmp_path / "cache"
    )
    files = [*everything(result.folder), *everything(tmp_path / "cache")]
    assert len(files) > 10
    assert any(b"i03" in data for _, data in files)  # the set-aside images are listed by id
    told = [(name, word) for name, data in files for word in SECRETS if word.encode() in data]
    assert told == []
