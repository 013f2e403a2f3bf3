"""Columns: batch signals that are made from samples, not by the model (labels, counts, metadata, lesion masks)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from skinframe.components.base import Component
from skinframe.components.dataset import Dataset
from skinframe.components.encoder import Encoder
from skinframe.components.prompt import Prompt
from skinframe.sample import Field, Sample
from skinframe.signals import Signal

if TYPE_CHECKING:
    from torch import Tensor


class SplitRows(Protocol):
    """The rows of the samples in each part of the split."""

    @property
    def train(self) -> Sequence[int]: ...

    @property
    def valid(self) -> Sequence[int]: ...

    @property
    def test(self) -> Sequence[int]: ...


@dataclass(frozen=True, kw_only=True)
class ColumnContext:
    """What a column is made from. `samples` are in the order of the rows that the bound function is called with.

    `encoders` are by instance name, for the geometry of their patches; `inputs` are what the feed passes beside, such
    as the shape of a signal.
    """

    samples: Sequence[Sample]
    split: SplitRows
    classes: tuple[str, ...]
    attributes: tuple[str, ...]
    fields: tuple[Field, ...]
    prompt: Prompt
    dataset: Dataset
    encoders: Mapping[str, Encoder] = field(default_factory=dict)
    views: int = 1
    seed: int = 0
    inputs: Mapping[str, Any] = field(default_factory=dict)


Bound = Callable[[Sequence[int], Sequence[int], int], "Tensor"]  # rows, views, epoch -> tensor


class Column(Component):
    """A signal of a batch, `batch.NAME`, made from the samples. Its name is that of its signal.

    Made only where something reads it. `available: training` says that new images do not have it; `readable_by: terms`
    that no head or reasoner may read it, neither directly nor through another component.
    """

    kind = "column"
    signal: ClassVar[Signal]
    scope: ClassVar[Literal["sample", "step", "token"]] = "sample"
    available: ClassVar[Literal["always", "training"]] = "always"
    readable_by: ClassVar[Literal["model", "terms"]] = "terms"
    counts_terms: ClassVar[bool] = False  # a loss may normalise by this signal

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if isinstance(vars(cls).get("signal"), Signal):
            cls.name = cls.signal.name

    @abstractmethod
    def bind(self, context: ColumnContext) -> Bound:
        """Return the function from rows, views and epoch to the signal's tensor, on the CPU.

        Raises DataError where the samples do not have what the column is made of.
        """
