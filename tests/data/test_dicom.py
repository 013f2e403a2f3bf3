"""DICOM for prediction: pixels of honest files, refusal of the rest, and no word of a tag anywhere."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian, JPEGBaseline8Bit, generate_uid

from skinframe import DataError
from skinframe.data.dicom import decode_dicom, is_dicom
from skinframe.data.images import ImageProblem
from skinframe.predicting.image_file import read_incoming
from skinframe.recipe.recipe_schema import Images

CAP = 10**6
Y, X = np.mgrid[0:30, 0:40]
COLOURS = np.stack([X * 6, Y * 8, X + Y], axis=2).astype(np.uint8)


def dicom(pixels: np.ndarray = COLOURS, syntax: str = ExplicitVRLittleEndian, **tags: object) -> bytes:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.77.1.4"
    meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID = generate_uid(), syntax
    found = FileDataset("x", {}, file_meta=meta, preamble=b"\0" * 128)
    found.PatientName, found.PatientID, found.BurnedInAnnotation = "Doe^Jane", "4711", "NO"
    found.Rows, found.Columns, found.SamplesPerPixel = (*pixels.shape[:2], pixels.ndim * 2 - 3)
    found.PhotometricInterpretation = "RGB" if pixels.ndim == 3 else "MONOCHROME2"
    found.BitsAllocated = found.BitsStored = pixels.itemsize * 8
    found.HighBit, found.PixelRepresentation = pixels.itemsize * 8 - 1, 0
    if pixels.ndim == 3:
        found.PlanarConfiguration = 0
    found.PixelData = pixels.tobytes()
    for name, value in tags.items():
        if value is None:
            delattr(found, name)
        else:
            setattr(found, name, value)
    out = io.BytesIO()
    found.save_as(out, enforce_file_format=True)
    return out.getvalue()


def test_colour_and_grey_pixels_come_out_alone() -> None:
    assert is_dicom(dicom())
    image = decode_dicom(dicom(), CAP)
    assert (np.asarray(image) == COLOURS).all()
    assert image.info == {}
    grey = decode_dicom(dicom(COLOURS[..., 0].astype(np.uint16) << 4, BitsStored=12, HighBit=11), CAP)
    assert (np.asarray(grey)[..., 1] == COLOURS[..., 0]).all()
    turned = decode_dicom(dicom(COLOURS[..., 0], PhotometricInterpretation="MONOCHROME1"), CAP)
    assert (np.asarray(turned)[..., 2] == 255 - COLOURS[..., 0]).all()


def test_a_baseline_jpeg_inside_goes_through_the_same_decoder() -> None:
    out = io.BytesIO()
    Image.fromarray(COLOURS).save(out, "JPEG", quality=100, subsampling=0, comment=b"Doe^Jane")
    wrapped = {"PixelData": encapsulate([out.getvalue()]), "PhotometricInterpretation": "YBR_FULL_422"}
    image = decode_dicom(dicom(syntax=JPEGBaseline8Bit, **wrapped), CAP)
    assert np.abs(np.asarray(image, int) - COLOURS.astype(int)).mean() < 2
    assert image.info == {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"BurnedInAnnotation": "YES"}, "has burned-in text.*--allow-burned-in"),
        ({"BurnedInAnnotation": None}, "may have burned-in text"),
        ({"BurnedInAnnotation": ""}, "may have burned-in text"),
        ({"NumberOfFrames": 2, "PixelData": COLOURS.tobytes() * 2}, "has 2 frames"),
        ({"Rows": 65_000, "Columns": 65_000}, "is 65000 x 65000 pixels; the limit is"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, "has the DICOM colours PALETTE COLOR"),
        ({"PixelData": b"\0\0"}, "cannot be decoded: not a DICOM image that can be read"),
        ({"syntax": DeflatedExplicitVRLittleEndian}, r"transfer syntax 1\.2\.840\.10008\.1\.2\.1\.99"),
    ],
)
def test_what_is_not_one_honest_image_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(ImageProblem, match=said) as raised:
        decode_dicom(dicom(**change), CAP)  # type: ignore[arg-type]
    assert "Doe" not in str(raised.value)


def test_burned_in_text_may_be_allowed_by_name() -> None:
    assert decode_dicom(dicom(BurnedInAnnotation="YES"), CAP, allow_burned_in=True).size == (40, 30)


@pytest.mark.parametrize("length", [132, 140, 150, 400, 900])
def test_a_cut_file_gives_one_line(length: int) -> None:
    with pytest.raises(ImageProblem, match=r"cannot be decoded|may have burned-in text"):
        decode_dicom(dicom()[:length], CAP)


def test_without_pydicom_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydicom", None)
    with pytest.raises(DataError, match=r"needs pydicom: pip install 'skinframe\[dicom\]'"):
        decode_dicom(dicom(), CAP)


def test_predict_reads_it_by_content_and_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "upload.jpg"
    path.write_bytes(dicom())
    assert read_incoming(path, Images()).picture.size == (40, 30)
    path.write_bytes(dicom(BurnedInAnnotation="YES"))
    with pytest.raises(DataError, match=r"upload\.jpg: has burned-in text"):
        read_incoming(path, Images())
    assert read_incoming(path, Images(), allow_burned_in=True).picture.size == (40, 30)
