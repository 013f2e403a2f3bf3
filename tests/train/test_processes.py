"""Where several processes will meet in a step: the counts before it, one flat sum of gradients after it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from skinframe.train.gradient_cache import ONE_PROCESS, Processes


class Twice(Processes):
    """Two processes that hold the same samples: every sum is the double of one's own."""

    count = 2

    def __init__(self) -> None:
        self.sums: list[Tensor] = []

    def totals(self, counts: Mapping[str, int]) -> dict[str, int]:
        return {name: 2 * count for name, count in counts.items()}

    def total(self, flat: Tensor) -> Tensor:
        self.sums.append(flat)
        return 2 * flat


def test_two_processes_with_half_the_step_each_have_the_gradient_of_one(bench: Any) -> None:
    """Per-sample terms count their samples over both, so that the sum of the halves is the whole."""
    from skinframe.train.training_step import run_step

    objective, ids = bench.objective(focal=1.0, brier=0.5), [[str(row) for row in range(8)]]
    one, expected = bench.step(objective, [8])
    bench.model.zero_grad(set_to_none=True)
    both = Twice()
    record = run_step(
        bench.accelerator, bench.model, objective, bench.batches([8]), ids, 0.5, [0], norms=False, processes=both
    )
    assert len(both.sums) == 1  # once, after the last micro-batch
    assert both.sums[0].shape == (sum(p.numel() for _, p in bench.model.trained_parameters()),)
    for name, value in record.parts.items():
        assert value == pytest.approx(one.parts[name] / 2)
    found = bench.gradients()
    assert all(torch.allclose(found[name], expected[name], rtol=1e-6, atol=1e-8) for name in expected)


def test_the_pieces_of_the_sum_go_back_to_their_parameters() -> None:
    parameters = [nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(4)), nn.Parameter(torch.zeros(()))]
    parameters[0].grad = torch.arange(6.0).reshape(2, 3)
    parameters[2].grad = torch.tensor(7.0)
    Twice().sum_gradients(parameters)
    assert [parameter.grad.tolist() for parameter in parameters if parameter.grad is not None] == [
        [[0, 2, 4], [6, 8, 10]],
        [0, 0, 0, 0],
        14,
    ]


def test_one_process_leaves_its_gradients_alone() -> None:
    parameter, without = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(2))
    parameter.grad = given = torch.ones(3)
    ONE_PROCESS.sum_gradients([parameter, without])
    assert parameter.grad is given
    assert without.grad is None
    assert ONE_PROCESS.totals({"a": 3}) == {"a": 3}
    assert ONE_PROCESS.total(given) is given
