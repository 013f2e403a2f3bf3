"""A coupled term on a step of several micro-batches is the term on the step: value, gradient, state, dropout."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from skinframe import plugins
from skinframe.errors import DataError, NonFiniteError
from skinframe.train.gradient_cache import join, split

GRID = ([1] * 8, [4, 4], [3, 1, 4])  # micro-batches of a step of eight
CATALOG = plugins.load(["cfa", "example"])
COUPLED = [
    name
    for name in CATALOG.names("loss")
    if CATALOG.entries["loss", name].component.coupling != "per_sample"  # type: ignore[attr-defined]
]
NO_ENCODER = {"filip"}  # reads text tokens, which no head of the small recipe gives: its test is the one after
Gradients = dict[str, torch.Tensor]


def apart(one: Gradients, other: Gradients) -> float:
    """Return the largest distance of two gradients, as a share of their norm where that exceeds 1."""
    assert one.keys() == other.keys()
    size = max(1.0, torch.cat([g.flatten() for g in other.values()]).norm().item())
    return max((one[name] - other[name]).abs().max().item() for name in one) / size


def seasoned(objective: Any, rows: int) -> Any:
    """Give a term that ranks by history one that differs between samples: this model is wrong about all eight."""
    if objective.terms[0].name == "x_correctness_ranking":
        visits = torch.full((rows,), 4.0, dtype=torch.float64)
        objective.load_state(
            {"x_correctness_ranking.right": torch.arange(rows) % 4.0, "x_correctness_ranking.visits": visits}
        )
    return objective


@pytest.mark.parametrize("name", sorted({*COUPLED} - NO_ENCODER))
def test_a_cut_step_is_the_whole_step(bench: Any, name: str) -> None:
    rows = len(bench.feed.ids)
    whole, expected = bench.step(seasoned(bench.objective(**{name: 1.0}), rows), [8])
    assert any(gradient.any() for gradient in expected.values())
    for sizes in GRID:
        found, gradients = bench.step(seasoned(bench.objective(**{name: 1.0}), rows), sizes)
        assert found.parts[f"x_{name}"] == pytest.approx(whole.parts[f"x_{name}"], abs=1e-6), sizes
        assert apart(gradients, expected) <= 1e-6, sizes


class Projections(nn.Module):
    """Projects patches and text tokens into one space: what a plugin's head for late interaction would do."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.patches, self.tokens = nn.Linear(6, 5), nn.Linear(7, 5)
        self.log_scale = nn.Parameter(torch.tensor(1.5))

    def forward(self, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        own = {"regions": self.patches(batch["clip.image_tokens"]), "text_tokens": self.tokens(batch["text.tokens"])}
        given = {f"project.{name}": nn.functional.normalize(value, dim=-1) for name, value in own.items()}
        return {**batch, **given, "project.logit_scale": self.log_scale.exp()}

    def trained_parameters(self) -> list[tuple[str, nn.Parameter]]:
        return list(self.named_parameters())


@pytest.mark.parametrize("sizes", GRID, ids=str)
def test_late_interaction_over_texts_of_unlike_length(bench: Any, sizes: list[int]) -> None:
    """Each micro-batch is padded to its own longest text, the whole step to the longest of all."""
    from skinframe.model.objective import Term
    from skinframe.planning.loss_schedule import schedule_of
    from skinframe.train.training_step import run_step

    lengths = [1, 2, 2, 5, 3, 4, 4, 2]
    random = torch.Generator().manual_seed(0)
    patches, tokens = torch.randn(8, 4, 6, generator=random), torch.randn(8, 5, 7, generator=random)
    mask = (torch.arange(5) < torch.tensor(lengths).unsqueeze(1)).long()
    feeds = {"regions": "project.regions", "text_tokens": "project.text_tokens", "logit_scale": "project.logit_scale"}
    feeds |= {"text_token_mask": "text.mask", "text_ids": "batch.text_ids", "labels": "batch.labels"}
    objective = bench.objective(focal=1.0)
    component: Any = CATALOG.entries["loss", "filip"].component
    objective.terms = (Term("filip", component(), schedule_of(1.0, "filip"), feeds),)

    def step(cut: list[int]) -> tuple[Any, Gradients]:
        model = Projections()
        batches = []
        for rows in torch.arange(8).split(cut):
            longest = max(lengths[row] for row in rows)
            batches.append(
                {
                    "clip.image_tokens": patches[rows],
                    "text.tokens": tokens[rows, :longest],
                    "text.mask": mask[rows, :longest],
                    "batch.text_ids": rows % 6,
                    "batch.labels": rows % 3,
                }
            )
        ids = [[str(int(row)) for row in rows] for rows in torch.arange(8).split(cut)]
        record = run_step(bench.accelerator, model, objective, batches, ids, 0.5, [0] * len(cut), True)  # type: ignore[arg-type]
        return record, {name: parameter.grad for name, parameter in model.named_parameters()}  # type: ignore[misc]

    whole, expected = step([8])
    found, gradients = step(sizes)
    assert found.parts["filip"] == pytest.approx(whole.parts["filip"], abs=1e-6)
    assert apart(gradients, expected) <= 1e-6


def test_the_eight_samples_are_of_unlike_length(bench: Any) -> None:
    assert len({bench.feed.length(row) for row in bench.rows}) > 1


def test_without_gathering_the_negatives_are_lost(bench: Any) -> None:
    """Guards the comparison above: the micro-batches of a contrastive term do not make up the step by chance."""
    objective = bench.objective(clip_infonce=1.0)
    whole, expected = bench.step(objective, [8])
    found, gradients = bench.step(objective, [4, 4], gather=False)
    assert found.parts["x_clip_infonce"] < whole.parts["x_clip_infonce"] - 0.1
    assert apart(gradients, expected) > 1e-3


def test_dropout_is_the_same_in_both_passes(bench: Any) -> None:
    """Against one graph through all micro-batches, each with its own seed."""
    objective = bench.objective(region_alignment=1.0, cross_entropy=1.0)
    found, gradients = bench.step(objective, [3, 1, 4], train=True)
    bench.model.zero_grad(set_to_none=True)
    given = []
    for seed, batch in enumerate(bench.batches([3, 1, 4])):
        torch.manual_seed(seed)
        given.append(bench.model(batch))
    names = {full for term in objective.terms for full in term.feeds.values()}
    dims = {full: "" if full.endswith(("logit_scale", "class_counts")) else "B" for full in names}
    parts = objective.parts({full: join([g[full] for g in given], dims[full]) for full in names}, found.weights)
    torch.stack(list(parts.values())).sum().backward()
    assert apart(gradients, bench.gradients()) <= 1e-6
    _, still = bench.step(objective, [3, 1, 4])
    assert apart(gradients, still) > 1e-3  # dropout was on


def test_each_term_keeps_its_norm_and_its_queue(bench: Any) -> None:
    one, other = (bench.objective(focal=1.0, soft_ece=0.5, clip_infonce=2.0) for _ in range(2))
    whole, expected = bench.step(one, [8], norms=True)
    found, gradients = bench.step(other, [3, 1, 4], norms=True)
    assert apart(gradients, expected) <= 1e-6
    assert found.total == pytest.approx(whole.total, abs=1e-5)
    for kind in ("part_norms", "shared_norms"):
        assert getattr(found, kind) == pytest.approx(getattr(whole, kind), rel=1e-4), kind
    assert int(one.state()["x_soft_ece.filled"]) == 8
    for name, rows in one.state().items():
        torch.testing.assert_close(other.state()[name], rows, rtol=1e-5, atol=1e-6)


def test_the_norm_of_a_cut_step_is_that_of_its_gradient(bench: Any) -> None:
    """And no bound of it: micro-batches pull against each other."""
    record, gradients = bench.step(bench.objective(cross_entropy=0.5), [1] * 8, norms=True)
    assert record.part_norms["x_cross_entropy"] == pytest.approx(
        torch.cat([g.flatten() for g in gradients.values()]).norm().item(), rel=1e-5
    )


def test_a_coupled_term_that_is_not_finite_is_named(bench: Any) -> None:
    objective = bench.objective(clip_infonce=1.0)
    head = bench.model.heads["project"]
    with torch.no_grad():
        kept = head.log_scale.clone()
        head.log_scale.fill_(torch.nan)
    try:
        with pytest.raises(NonFiniteError, match=r"losses\.x_clip_infonce: is nan on samples .*"):
            bench.step(objective, [4, 4])
    finally:
        with torch.no_grad():
            head.log_scale.copy_(kept)


def test_one_tensor_under_two_names_stays_one(bench: Any) -> None:
    """The term that refuses texts as queries does so on a cut step, too."""
    head = bench.model.heads["project"]
    kept, head.query = head.query, None  # monkeypatch would look for a submodule among plain attributes, and remove it
    try:
        with pytest.raises(DataError, match="the projection gives the texts as queries"):
            bench.step(bench.objective(region_alignment=1.0), [4, 4])
    finally:
        head.query = kept


lengths = st.lists(st.tuples(st.integers(1, 4), st.integers(1, 5)), min_size=1, max_size=5)


@settings(deadline=None, derandomize=True)
@given(lengths, st.booleans())
def test_what_is_joined_splits_into_what_it_was(sizes: list[tuple[int, int]], whole_numbers: bool) -> None:
    kind = torch.int64 if whole_numbers else torch.float32
    pieces = [(torch.arange(n * w).reshape(n, w) + 1).to(kind) for n, w in sizes]
    joined = join(pieces, "B L")
    assert joined.shape == (sum(n for n, _ in sizes), max(w for _, w in sizes))
    back = split(joined, pieces, "B L")
    assert all(piece is not None and torch.equal(piece, own) for piece, own in zip(back, pieces, strict=True))
    fill = -100 if whole_numbers else 0
    assert int((joined == fill).sum()) == joined.numel() - sum(n * w for n, w in sizes)


def test_a_signal_of_the_step_is_joined_and_pulled_once() -> None:
    pieces = [torch.tensor(2.0), torch.tensor(2.0)]
    assert join(pieces, "") is pieces[0]
    assert split(torch.tensor(3.0), pieces, "") == [torch.tensor(3.0), None]
