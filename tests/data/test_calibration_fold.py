"""Validation in two folds: no patient in both, classes in both, and an honest word where it is too small."""

from skinframe.data.kfold import MIN_GROUPS, calibration_fold
from skinframe.sample import Sample


def samples(patients, each=3):
    return [
        Sample(id=f"{i}-{j}", image=f"{i}-{j}", label=i % 3, patient=str(i), split="valid")
        for i in range(patients)
        for j in range(each)
    ]


def test_patients_are_in_one_fold_and_classes_in_both():
    found = samples(80)
    rows = range(60, 240)
    folds = calibration_fold(found, rows, share=0.5, seed=1)
    assert folds.own
    assert not folds.warning
    assert sorted((*folds.selection, *folds.calibration)) == list(rows)
    patients = [{found[row].patient for row in fold} for fold in (folds.selection, folds.calibration)]
    assert not patients[0] & patients[1]
    for fold in (folds.selection, folds.calibration):
        assert {found[row].label for row in fold} == {0, 1, 2}
    assert abs(len(folds.selection) - len(folds.calibration)) <= 3
    assert folds == calibration_fold(found, rows, share=0.5, seed=1)
    assert folds != calibration_fold(found, rows, share=0.5, seed=2)


def test_images_of_the_same_content_stay_together():
    found = [Sample(id=str(i), image=str(i), label=i % 2, patient=str(i)) for i in range(100)]
    keys = [str(i // 2) for i in range(100)]
    folds = calibration_fold(found, range(100), share=0.4, seed=0, keys=keys)
    assert not {keys[row] for row in folds.selection} & {keys[row] for row in folds.calibration}


def test_a_small_validation_part_is_shared_and_that_is_said():
    few = samples(2 * MIN_GROUPS - 2)
    folds = calibration_fold(few, range(len(few)), share=0.5, seed=0, level="patient")
    assert folds.selection == folds.calibration == tuple(range(len(few)))
    assert f"only {2 * MIN_GROUPS - 2} patients" in folds.warning
    asked = calibration_fold(few, range(len(few)), share=0.0, seed=0)
    assert not asked.own
    assert "calibration is 0" in asked.warning
    assert "fitted on the same images that selected the epoch" in asked.warning
