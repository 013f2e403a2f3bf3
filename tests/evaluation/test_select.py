"""The winner is picked from validation figures alone, and patience counts epochs without a gain."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from skinframe.errors import DataError
from skinframe.evaluation.checkpoint_selection import best, exhausted


def history(*figures):
    return [{"nll": figure, "accuracy": -figure} for figure in figures]


def test_min_and_max_agree_when_the_figure_is_turned_round():
    figures = history(3.0, 1.0, 2.0)
    assert best(figures, "nll", "min") == best(figures, "accuracy", "max") == 1


def test_the_earliest_of_equals_wins_and_nan_never_does():
    assert best(history(math.nan, 1.0, 1.0, 2.0), "nll", "min") == 1


def test_patience_counts_epochs_since_the_best():
    figures = history(3.0, 1.0, 1.0, 1.5)
    assert not exhausted(figures, "nll", "min", 3)
    assert exhausted(figures, "nll", "min", 2)
    assert not exhausted(figures, "nll", "min", None)
    assert not exhausted([], "nll", "min", 1)
    assert exhausted(history(math.nan, math.nan), "nll", "min", 2)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(figures=st.lists(st.floats(-5, 5), min_size=1, max_size=12), patience=st.integers(1, 5))
def test_stopping_early_picks_the_best_of_what_was_seen(figures, patience):
    seen = []
    for figure in figures:
        seen.append({"nll": figure})
        if exhausted(seen, "nll", "min", patience):
            break
    assert seen[best(seen, "nll", "min")]["nll"] == min(entry["nll"] for entry in seen)


def test_an_unknown_figure_names_the_nearest():
    with pytest.raises(DataError, match="no validation figure 'acuracy'; did you mean 'accuracy'"):
        best(history(1.0), "acuracy", "max")


def test_nothing_to_choose_from_is_an_error():
    with pytest.raises(DataError, match="no epoch has been validated"):
        best([], "nll", "min")
    with pytest.raises(DataError, match="undefined in all 2 epochs"):
        best(history(math.nan, math.nan), "nll", "min")
