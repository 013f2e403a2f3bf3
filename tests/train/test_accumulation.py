"""A step cut into micro-batches is the step itself: the same values and gradients for terms that add over samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

import skinframe
from skinframe.data.batch_order import epoch_steps

Step = tuple[Any, dict[str, torch.Tensor]]


@pytest.fixture(scope="module")
def step(small: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Step]:
    """Return a function that takes one step of 12 samples, cut by a token budget; dropout is off."""
    from accelerate import Accelerator

    from skinframe.model.module import build_model
    from skinframe.model.objective import Objective
    from skinframe.preparing.prepare import prepare
    from skinframe.preparing.run_feed import make_feed
    from skinframe.progress import Display
    from skinframe.train.training_step import run_step

    overrides = [*small.overrides, "reasoner.config.connector_dropout=0"]
    plan = skinframe.plan(small.recipe, overrides=overrides, without=["losses.alignment", "losses.calibration"])
    torch.set_num_threads(1)
    folder = Path(tmp_path_factory.mktemp("step"))
    prepared = prepare(plan, folder, small.cache, "cpu", Display(quiet=True))
    model = build_model(plan, "cpu")
    feed, objective, accelerator = make_feed(prepared, model), Objective(plan), Accelerator()
    rows = prepared.split.train[:12]
    lengths = [feed.length(row) for row in range(len(feed.ids))]

    def take(max_tokens: int, norms: bool = False, only: Sequence[int] = rows) -> Step:
        (micro,) = epoch_steps(only, lengths, 12, max_tokens)
        ids = [[feed.ids[row] for row in some] for some in micro]
        batches = [feed.batch(some, [0] * len(some), plan.graph.wanted) for some in micro]
        model.train()
        model.zero_grad(set_to_none=True)
        record = run_step(accelerator, model, objective, batches, ids, 0.5, [1] * len(micro), norms)
        gradients = {n: p.grad.clone() for n, p in model.trained_parameters() if p.grad is not None}
        return (record, gradients, len(micro))  # type: ignore[return-value]

    take.feed = feed  # type: ignore[attr-defined]
    take.rows = rows  # type: ignore[attr-defined]
    return take


def test_values_and_gradients_do_not_depend_on_the_budget(step: Any) -> None:
    whole, expected, one = step(1_000_000)
    parts, found, many = step(600)
    single, alone, twelve = step(1)
    assert (one, twelve) == (1, 12)
    assert 1 < many < 12
    for record, gradients in ((parts, found), (single, alone)):
        for name, value in whole.parts.items():
            assert record.parts[name] == pytest.approx(value, rel=1e-5)
        assert record.total == pytest.approx(whole.total, rel=1e-5)
        assert gradients.keys() == expected.keys()
        for name, gradient in expected.items():
            torch.testing.assert_close(gradients[name], gradient, rtol=1e-4, atol=1e-5, msg=name)


def test_the_rationale_is_normalised_by_the_tokens_of_the_step(step: Any) -> None:
    """Not by samples and not by micro-batches: rows of unlike length show the difference."""
    rows, feed = step.rows, step.feed
    tokens = [len(feed.tokens[row].target) for row in rows]
    assert len(set(tokens)) > 1
    each = [step(1_000_000, only=[row])[0].parts["rationale"] for row in rows]
    by_token = sum(value * count for value, count in zip(each, tokens, strict=True)) / sum(tokens)
    by_sample = sum(each) / len(each)
    found = step(1)[0].parts["rationale"]
    assert found == pytest.approx(by_token, rel=1e-5)
    assert abs(by_token - by_sample) > 1e-4 * by_token


def test_the_total_is_the_weighted_sum(step: Any) -> None:
    record, _, _ = step(600)
    total = sum(record.weights[name] * value for name, value in record.parts.items())
    assert record.total == pytest.approx(total)


def test_with_one_micro_batch_the_norm_of_each_part_is_exact(step: Any) -> None:
    """The norms of the two weighted parts bound the norm of their sum from both sides."""
    record, gradients, _ = step(1_000_000, norms=True)
    both = torch.cat([g.flatten() for g in gradients.values()]).norm().item()
    focal, rationale = record.part_norms["focal"], record.part_norms["rationale"]
    assert focal > 0
    assert rationale > 0
    assert abs(focal - rationale) - 1e-5 <= both <= focal + rationale + 1e-5


def test_frozen_weights_have_no_gradient(step: Any) -> None:
    _, gradients, _ = step(1_000_000)
    kinds = {name.partition(".")[0] for name in gradients}
    assert kinds == {"reasoner", "heads"}
    assert all("lora_" in n or "connector" in n or n.startswith("heads.classify") for n in gradients), gradients.keys()
