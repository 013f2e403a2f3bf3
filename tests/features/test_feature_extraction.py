"""What the cache promises: same values as the tower, one call a content, keys by content."""

import pytest
import torch
from features_small import Pictures, Small, SmallTower, extract
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe import NonFiniteError, RecipeError, locks
from skinframe.errors import BusyError, DiskError
from skinframe.features import VIEWS, dihedral, extract_texts, planned_bytes, verify
from skinframe.features.feature_extraction import extract_shard
from skinframe.features.shard_format import row_key
from skinframe.features.shard_store import LOCK_NAME

PART = st.text("ab\x1f,", max_size=3)  # few letters and likely separators, so that a careless join collides


def test_cached_values_are_the_towers_own(tmp_path):
    pictures = Pictures(7)
    features = extract(Small(), pictures, tmp_path, dtype="float32", views=3, batch=4)
    tower = Small().load("cpu")
    rows, views = [6, 0, 3, 3], [0, 2, 1, 1]
    wanted = tower.images([dihedral(pictures.load(row), view) for row, view in zip(rows, views, strict=True)])
    got = features.get(rows, views)
    for name, value in wanted.items():
        torch.testing.assert_close(got[name], value, rtol=1e-5, atol=1e-5)
        assert got[name].dtype == torch.float32
    assert dict(features.shapes) == {"image_tokens": (9, 5), "image_embedding": (5,)}
    assert len(features) == 7


def test_float16_is_the_rounded_value(tmp_path):
    full, half = (extract(Small(), Pictures(5), tmp_path, dtype=dtype) for dtype in ("float32", "float16"))
    exact = full.get(range(5), [0] * 5)["image_tokens"]
    assert torch.equal(half.get(range(5), [0] * 5)["image_tokens"], exact.half().float())


def test_a_second_run_calls_nothing(tmp_path):
    first, again = Small(), Small()
    a = extract(first, Pictures(300), tmp_path)
    pictures = Pictures(300)
    b = extract(again, pictures, tmp_path)
    values = b.get([299, 0], [0, 0])
    assert (first.loads, first.tower.rows) == (1, 300)
    assert (again.loads, pictures.decoded) == (0, 0)
    assert a.digest == b.digest
    assert torch.equal(values["image_tokens"], a.get([299, 0], [0, 0])["image_tokens"])


def test_more_views_compute_only_the_new_ones(tmp_path):
    extract(Small(), Pictures(10), tmp_path)
    encoder, pictures = Small(), Pictures(10)
    extract(encoder, pictures, tmp_path, views=8)
    assert encoder.tower.rows == 70
    assert pictures.decoded == 10  # once an image, though its views span two batches


def test_content_decides_not_position_or_repetition(tmp_path):
    pictures, encoder = Pictures(6), Small()
    extract(encoder, pictures, tmp_path)
    shuffled = Pictures(6)
    shuffled.data = [shuffled.data[i] for i in (5, 5, 0, 2)]
    shuffled.keys = [pictures.keys[i] for i in (5, 5, 0, 2)]
    again = Small()
    got = extract(again, shuffled, tmp_path).get(range(4), [0] * 4)["image_embedding"]
    assert again.loads == 0
    whole = extract(Small(), pictures, tmp_path).get([5, 5, 0, 2], [0] * 4)["image_embedding"]
    assert torch.equal(got, whole)


@pytest.mark.parametrize("change", [{"seed": 1}, {"dtype": "float32"}])
def test_other_weights_or_dtype_never_hit(tmp_path, change):
    extract(Small(), Pictures(4), tmp_path)
    encoder = Small(seed=change.pop("seed", 0))
    extract(encoder, Pictures(4), tmp_path, **change)
    assert encoder.tower.rows == 4


@settings(deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.text(), st.text(), st.integers(0, 7), st.sampled_from(["float16", "float32"])), unique=True)
)
def test_keys_differ_where_anything_does(parts):
    assert len({row_key(*part) for part in parts}) == len(parts)


def test_texts_are_encoded_once_each(tmp_path):
    texts = ["a lesion", "a nevus", "a lesion", ""]
    encoder, again = Small(), Small()
    table = extract_texts(encoder, texts, root=tmp_path)
    assert table.shape == (4, 5)
    assert encoder.tower.rows == 3
    assert torch.equal(table[0], table[2])
    torch.testing.assert_close(table, Small().load("cpu").texts(texts))
    assert torch.equal(extract_texts(again, texts[::-1], root=tmp_path), table.flip(0))
    assert again.loads == 0


def test_signals_can_be_read_alone(tmp_path):
    features = extract(Small(), Pictures(3), tmp_path)
    only = features.get([2, 1], [0, 0], signals=["image_embedding"])
    assert list(only) == ["image_embedding"]
    assert torch.equal(only["image_embedding"], features.get([2, 1], [0, 0])["image_embedding"])
    with pytest.raises(IndexError, match="row 3"):
        features.get([3], [0])
    with pytest.raises(IndexError, match="view 1"):
        features.get([0], [1])


def test_progress_counts_rows_to_the_end(tmp_path):
    seen = []
    extract(Small(), Pictures(70), tmp_path, views=2, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 140)
    assert seen[-1] == (140, 140)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_planned_bytes_cover_what_is_written(tmp_path):
    features = extract(Small(), Pictures(300), tmp_path, views=2)
    written = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file())
    planned = planned_bytes(features.shapes, 300, 2)
    assert written <= planned <= 2 * written


def test_values_that_overflow_name_the_sample(tmp_path):
    encoder = Small()
    tower = encoder.load("cpu")
    tower.second *= 1e6
    with pytest.raises(NonFiniteError, match=r"image_tokens of sample 0 .* not finite in float16"):
        extract(encoder, Pictures(3), tmp_path, load_tower=lambda: tower)
    assert verify(tmp_path) == []


def test_a_broken_promise_is_named(tmp_path):
    encoder = Small()
    encoder.provides = lambda: {"image_tokens": (9, 6)}
    with pytest.raises(RecipeError, match=r"declares \(3, 9, 6\) but returned \(3, 9, 5\)"):
        extract(encoder, Pictures(3), tmp_path)


@pytest.mark.parametrize("options", [{"views": 0}, {"views": 9}, {"batch": 0}])
def test_options_are_checked(tmp_path, options):
    with pytest.raises(ValueError, match="views must be"):
        extract(Small(), Pictures(1), tmp_path, **options)


def test_views_are_the_symmetries_of_the_square():
    image = Pictures(1).load(0)
    seen = {dihedral(image, view).tobytes() for view in range(VIEWS)}
    assert len(seen) == VIEWS == 8
    assert dihedral(image, 0) == image
    # closed under composition: a group
    assert {dihedral(dihedral(image, a), b).tobytes() for a in range(VIEWS) for b in range(VIEWS)} == seen
    with pytest.raises(ValueError, match="view must be"):
        dihedral(image, 8)


def test_shards_that_other_processes_write_are_those_of_this_one(tmp_path):
    pictures, encoder = Pictures(300), Small()
    here = extract(Small(), pictures, tmp_path / "here", views=2)

    def away(shards):  # in another order, as they end
        tower = SmallTower(0)
        for number in reversed(range(len(shards))):
            extract_shard(
                encoder, shards[number], pictures.load, root=tmp_path / "there", tower=lambda: tower, describe=str
            )
            yield number

    seen = []
    options = {"remote": away, "views": 2, "progress": lambda *done: seen.append(done)}
    there = extract(encoder, pictures, tmp_path / "there", **options)
    assert encoder.loads == 0
    assert there.digest == here.digest
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert [done for done, total in seen if total == 600] == [0, 88, 344, 600, 600]
    extract(encoder, pictures, tmp_path / "there", views=2, remote=lambda shards: pytest.fail("was asked again"))


def test_a_shard_that_a_worker_wrote_somewhere_else_is_an_error_with_what_to_do(tmp_path):
    def away(shards):
        root, tower = tmp_path / "another", SmallTower(0)
        try:
            for number, shard in enumerate(shards):
                extract_shard(Small(), shard, Pictures(3).load, root=root, tower=lambda: tower, describe=str)
                yield number
        finally:
            with pytest.raises(BusyError), locks.exclusive(tmp_path / "cache", LOCK_NAME, wait=False):
                pass
            stopped.append(True)

    stopped = []
    with pytest.raises(DiskError, match="check that all nodes share this path") as caught:
        extract(Small(), Pictures(3), tmp_path / "cache", remote=away)
    assert stopped, caught  # before the lock was let go, and while the error is still held


def test_a_row_that_another_process_finds_not_finite_is_named(tmp_path):
    class Wild(SmallTower):
        def images(self, images):
            return {name: value / 0 for name, value in super().images(images).items()}

    with pytest.raises(NonFiniteError, match=r"of picture 2 \(view 1\) is not finite"):
        extract_shard(
            Small(), [("a", 2, 1)], Pictures(3).load, root=tmp_path, tower=lambda: Wild(0), describe="picture {}".format
        )
    assert not contents(tmp_path)


def contents(root):
    return {path.relative_to(root): path.read_bytes() for path in root.glob("image-*/*")}
