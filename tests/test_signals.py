"""Signals and the layouts that follow from them."""

from __future__ import annotations

from typing import Annotated

import pytest
import torch

import skinframe
from skinframe.catalog import malformed
from skinframe.components import Column
from skinframe.signals import STANDARD, Output, Signal, standard_output


@pytest.mark.parametrize(
    ("name", "layout"),
    [
        ("labels", Output("B", "int", "B", (), -100)),
        ("class_counts", Output("C", "int", None, (), -100)),
        ("image_tokens", Output("B P V", "float", "B", (), 0.0)),
        ("text_tokens", Output("B S W", "float", "B", ("S",), 0.0)),
        ("text_token_mask", Output("B S", "int", "B", ("S",), -100)),
        ("rationale_logits", Output("T L", "float", "T", (), 0.0)),
        ("logit_scale", Output("", "float", None, (), 0.0)),
        ("a_name_of_a_plugin", Output(None, "float", "B", (), 0.0)),
    ],
)
def test_the_layout_of_a_signal_follows_from_its_dims_and_kind(name: str, layout: Output) -> None:
    assert standard_output(name) == layout


def test_every_annotation_of_the_module_is_a_standard_signal() -> None:
    assert len(STANDARD) == 24
    assert all(name == signal.name for name, signal in STANDARD.items())


def test_a_component_declares_the_layout_of_its_own_signals() -> None:
    class Gaze(skinframe.Head):
        """A head with a signal of its own beside a standard one."""

        name = "gaze"

        def needs(self):
            return ("hidden",)

        def provides(self):
            return ("logits", "gaze")

        def outputs(self):
            return {**super().outputs(), "gaze": Output("B P", ragged=("P",), fill=float("nan"))}

        def build(self, context):
            return torch.nn.Identity()

    outputs = Gaze().outputs()
    assert outputs["logits"] == standard_output("logits")
    assert outputs["gaze"].ragged == ("P",)


def test_a_column_is_named_by_its_signal() -> None:
    weights = Signal("sample_weights", "B", "one weight per sample")

    class SampleWeights(Column):
        """One weight per sample."""

        signal = weights

        def bind(self, context):
            return lambda rows, views, epoch: torch.ones(len(rows))

    assert SampleWeights.name == "sample_weights"
    assert malformed(SampleWeights) is None
    assert Annotated[torch.Tensor, SampleWeights.signal]


def test_a_column_without_a_signal_is_refused() -> None:
    class Nameless(Column):
        def bind(self, context):
            return lambda rows, views, epoch: torch.ones(len(rows))

    assert "has no `signal`" in str(malformed(Nameless))
