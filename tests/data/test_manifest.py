import pytest

from skinframe import DataError, Field, Sample
from skinframe.data.manifest import check_samples, path_problem

FIELDS = (Field(name="age", low=0, high=120), Field(name="sex", values=("female", "male")))
CLASSES = ("mel", "nv")


def one(id_: str = "a", **changes: object) -> Sample:
    return Sample(**({"id": id_, "image": f"{id_}.jpg", "label": 0} | changes))  # type: ignore[arg-type]


def test_a_clean_set_passes() -> None:
    check_samples(
        [one("a", metadata={"age": 0.0, "sex": None}), one("b", attributes=(True, None))], FIELDS, CLASSES, "xy"
    )


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ([one(), one()], "the id stands in rows 0 and 1"),
        ([one("")], "is empty or holds a control"),
        ([one(label=2)], "label 2 is outside the 2 classes mel, nv"),
        ([one(label=-1)], "label -1 is outside"),
        ([one(metadata={"age": 121.0})], r"age: 121.0 is not a number in \[0, 120\]"),
        ([one(metadata={"sex": "m"})], "sex: 'm' is not one of female, male"),
        ([one(metadata={"dx_type": "histo"})], "dx_type: no such field; known: age, sex"),
        ([one(attributes=(True,))], "1 attributes where the set has 0"),
        ([one(image="../x.jpg")], "could leave the data root"),
        ([], "no samples"),
    ],
)
def test_each_problem_is_named(samples: list[Sample], said: str) -> None:
    with pytest.raises(DataError, match=said):
        check_samples(samples, FIELDS, CLASSES)


def test_all_problems_at_once_with_a_total() -> None:
    with pytest.raises(DataError) as raised:
        check_samples([one(str(i), label=9) for i in range(50)], FIELDS, CLASSES)
    lines = str(raised.value).splitlines()
    assert lines[0] == "data: 50 problems"
    assert len(lines) == 22
    assert lines[-1] == "  … and 30 more"


@pytest.mark.parametrize(
    "reference",
    [
        *("", "  ", "/etc/passwd", "\\\\host\\share\\x.jpg", "~/x.jpg", "a/../../x", "..", "a\\..\\..\\x", "x\0.jpg"),
        *("http://a/b.jpg", "file:///x", "data:image/png;base64,x", "C:\\x.jpg", "a\nb.jpg"),
    ],
)
def test_bad_references(reference: str) -> None:
    assert path_problem(reference)


@pytest.mark.parametrize("reference", ["x.jpg", "part_1/x.jpg", "a..b/x.jpg", "ünï.png", "a b.png"])
def test_good_references(reference: str) -> None:
    assert path_problem(reference) is None
