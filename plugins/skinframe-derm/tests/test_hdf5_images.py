"""Crafted HDF5 files: nothing outside the file is read, and nothing larger than the cap is allocated."""

from __future__ import annotations

import os
import pickle
import tracemalloc
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from skinframe_derm.hdf5_images import Hdf5Images

from skinframe import DataError
from skinframe.data.images import MAX_BYTES, ImageProblem

SECRET = b"the bytes of another file"


def stored(path: Path, write: Any) -> Hdf5Images:
    with h5py.File(path, "w") as file:
        write(file)
    return Hdf5Images(path)


def read(images: Hdf5Images, name: str = "x") -> bytes:
    found = images.read(name)
    assert SECRET not in found
    return found


def external(file: h5py.File) -> None:
    outside = Path(file.filename).parent.parent / "secret"
    outside.write_bytes(SECRET)
    size = len(SECRET)
    file.create_dataset("x", (size,), "u1", external=[(str(outside), 0, size)])


def external_link(file: h5py.File) -> None:
    outside = Path(file.filename).parent.parent / "secret.h5"
    with h5py.File(outside, "w") as other:
        other["y"] = np.void(SECRET)
    file["x"] = h5py.ExternalLink(str(outside), "/y")


def soft_link(file: h5py.File) -> None:
    external_link(file)
    file.move("x", "y")
    file["x"] = h5py.SoftLink("/y")


def virtual(file: h5py.File) -> None:
    outside = Path(file.filename).parent.parent / "secret.h5"
    with h5py.File(outside, "w") as other:
        other["y"] = np.frombuffer(SECRET, "u1")
    layout = h5py.VirtualLayout((len(SECRET),), "u1")
    layout[:] = h5py.VirtualSource(str(outside), "y", (len(SECRET),))
    file.create_virtual_dataset("x", layout)


def bomb(file: h5py.File) -> None:
    file.create_dataset("x", (MAX_BYTES // 2,), "u1", compression="gzip", chunks=(MAX_BYTES // 2,))[:] = 0


def wide_chunk(file: h5py.File) -> None:
    file.create_dataset("x", (4,), "u1", maxshape=(None,), chunks=(2**31,))


def huge(file: h5py.File) -> None:
    file.create_dataset("x", (MAX_BYTES + 1,), "u1")  # space is given at the first write: the file stays small


def astronomic(file: h5py.File) -> None:
    file.create_dataset("x", (2**31, 2**29), "u1")


def many_strings(file: h5py.File) -> None:
    file.create_dataset("x", data=[b"a" * 1000] * 3, dtype=h5py.string_dtype())


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (external, "is external, virtual, chunked or compressed"),
        (external_link, "is a link to elsewhere"),
        (soft_link, "is a link to elsewhere"),
        (virtual, "is external, virtual, chunked or compressed"),
        (bomb, "is external, virtual, chunked or compressed"),
        (wide_chunk, "is external, virtual, chunked or compressed"),
        (huge, "bytes; the cap is"),
        (astronomic, "bytes; the cap is"),
        (many_strings, "has no fixed size"),
        (lambda file: file.create_dataset("x", data=h5py.Empty("u1")), "has no fixed size"),
        (lambda file: file.create_group("x"), "is no data set"),
    ],
)
def test_a_crafted_entry_is_refused_before_it_is_read(tmp_path: Path, write: Any, reason: str) -> None:
    (tmp_path / "root").mkdir()
    images = stored(tmp_path / "root" / "images.hdf5", write)
    tracemalloc.start()
    try:
        with pytest.raises(ImageProblem, match=reason):
            read(images)
        assert tracemalloc.get_traced_memory()[1] < MAX_BYTES // 8
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", ["", ".", "/x", "a/x", "x\0y", "\ud800"])
def test_only_a_plain_name_is_an_entry(tmp_path: Path, name: str) -> None:
    images = stored(tmp_path / "images.hdf5", lambda file: file.update({"x": np.void(b"1"), "a/x": np.void(b"2")}))
    assert read(images) == b"1"
    with pytest.raises(ImageProblem, match=r"no entry|UnicodeEncodeError"):
        read(images, name)


def test_too_little_memory_is_a_problem_of_that_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = stored(tmp_path / "images.hdf5", lambda file: file.update({"x": np.void(b"1")}))

    def full(entry: h5py.Dataset, key: object) -> None:
        raise MemoryError

    monkeypatch.setattr(h5py.Dataset, "__getitem__", full)
    with pytest.raises(ImageProblem, match=r"cannot be read from images\.hdf5: MemoryError"):
        read(images)


@pytest.mark.parametrize("value", [np.void(b"abc"), np.bytes_(b"abc"), np.frombuffer(b"abc", "u1")])
def test_bytes_come_back_as_they_were_stored(tmp_path: Path, value: Any) -> None:
    images = stored(tmp_path / "images.hdf5", lambda file: file.update({"x": value}))
    assert read(images) == b"abc"
    assert pickle.loads(pickle.dumps(images)).read("x") == b"abc"  # noqa: S301 - as a worker gets it


@pytest.mark.parametrize("kind", ["link", "pipe", "loop", "absent"])
def test_the_file_itself_stays_in_the_data_root(tmp_path: Path, kind: str) -> None:
    """A link to a file elsewhere, a pipe that would hang the reader, a loop of links, and nothing at all."""
    root, there = tmp_path / "root", tmp_path / "elsewhere.h5"
    root.mkdir()
    with h5py.File(there, "w") as other:
        other["x"] = np.void(SECRET)
    path = root / "images.h5"
    if kind == "link":
        path.symlink_to(there)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    words = {"link": "leads out of the data root through a link", "pipe": "is not a regular file"}
    with pytest.raises(DataError, match=words.get(kind, "cannot be read")):
        Hdf5Images(path).read("x")


def test_a_link_inside_the_data_root_is_followed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "real.h5", "w") as file:
        file["x"] = np.void(b"bytes")
    (tmp_path / "images.h5").symlink_to("real.h5")
    assert Hdf5Images(tmp_path / "images.h5").read("x") == b"bytes"
