"""The abstract bases of everything that a recipe can name. Two levels only: abstract here, final in a plugin.

A component is light: building one reads no weights and imports no torch. The method that makes the heavy thing
(`load`, `build`) imports what it needs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from skinframe.sample import Field, Sample

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image
    from torch import Tensor, nn

Coupling = Literal["per_sample", "pairwise_additive", "batch"]
Role = Literal["frozen", "nf4", "lora", "trained"]
Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class NoConfig:
    """The options of a component that has none."""


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """Something that is not on this machine, and the exact next step that brings it."""

    what: str
    next_step: str
    kind: Literal["weights", "data", "gpu"] = "weights"


@dataclass(frozen=True, kw_only=True)
class ModuleRow:
    """One line of the plan's module table, counted on the meta device."""

    name: str
    role: Role
    parameters: int
    bytes: int
    flops_per_sample: float = 0.0


class Component(ABC):
    """What every kind shares: a registered name and a frozen dataclass of options."""

    kind: ClassVar[str]
    name: ClassVar[str]
    Config: ClassVar[type[Any]] = NoConfig

    def __init__(self, config: Any = None) -> None:
        self.config: Any = self.Config() if config is None else config


class Dataset(Component):
    """Samples with labels, groups and typed metadata, and the bytes of their images."""

    kind = "dataset"
    level: ClassVar[str] = "patient"  # what a group is; "lesion" where no patient id was released

    @property
    @abstractmethod
    def classes(self) -> tuple[str, ...]: ...

    @property
    def attributes(self) -> tuple[str, ...]:
        return ()

    @property
    @abstractmethod
    def fields(self) -> tuple[Field, ...]: ...

    @abstractmethod
    def samples(self) -> Sequence[Sample]:
        """Return every sample, in a fixed order. Raises DataError naming file, line and reason."""

    @abstractmethod
    def image_bytes(self, sample: Sample) -> bytes:
        """Return the encoded image (PNG or JPEG) of a sample. Raises DataError."""

    def masks(self, sample: Sample) -> Mapping[str, NDArray[np.bool_]]:
        """Return pixel masks by name ('lesion', or an attribute's name), where the set has them."""
        return {}

    def posterior(self, sample: Sample) -> NDArray[np.float64] | None:
        """Return the true class probabilities [C] where the data's own law is known (synthetic sets)."""
        return None

    def missing(self) -> list[Requirement]:
        return []

    @abstractmethod
    def digest(self) -> str:
        """Return a hex digest of what the set is (tables and options), cheap to compute."""


@dataclass(frozen=True, kw_only=True)
class PromptText:
    """What the reasoner reads beside the image. The label is never in it."""

    system: str
    user: str


class Prompt(Component):
    """Versioned templates: sample -> question, description, rationale."""

    kind = "prompt"

    @abstractmethod
    def question(self, sample: Sample, fields: Sequence[Field]) -> PromptText:
        """Return the reasoner's input. Only typed metadata may enter; never the label, never free text."""

    @abstractmethod
    def description(self, sample: Sample, classes: Sequence[str], attributes: Sequence[str]) -> str:
        """Return the clinical description for image-text alignment (training-time supervision only)."""

    @abstractmethod
    def class_descriptions(self, classes: Sequence[str]) -> list[str]:
        """Return one zero-shot description a class, in order."""

    def class_words(self, classes: Sequence[str]) -> list[str]:
        """Return what each class is called in text, in order: a verbalizer reads the first token of each."""
        return list(classes)

    @abstractmethod
    def rationale(self, sample: Sample, classes: Sequence[str], attributes: Sequence[str]) -> str:
        """Return the target rationale that names the attributes."""

    @abstractmethod
    def mentions(self, text: str, attributes: Sequence[str]) -> tuple[bool | None, ...]:
        """Read a written rationale back: present, absent, or not mentioned, for each attribute."""

    @abstractmethod
    def digest(self) -> str: ...


class Tower(ABC):
    """A loaded frozen encoder. Counts its calls, so that a test can prove that a cached epoch makes none."""

    calls: int = 0

    @abstractmethod
    def images(self, images: Sequence[Image]) -> dict[str, Tensor]:
        """Encode RGB images to the signals that `Encoder.provides` names, each [B, ...] float32 on the CPU."""

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Encode texts to unit vectors [B, D], float32 on the CPU."""
        raise NotImplementedError(f"{type(self).__name__} has no text tower")


class Encoder(Component):
    """A frozen perception tower; its outputs are cached by content, never by path or time."""

    kind = "encoder"

    @abstractmethod
    def provides(self) -> Mapping[str, Shape]:
        """Return each signal's shape without the batch dim, e.g. `{"image_tokens": (64, 128)}`."""

    @abstractmethod
    def digest(self) -> str:
        """Return a hex digest of weights, preprocessing, layer and dtype: the encoder's part of the cache key."""

    @abstractmethod
    def load(self, device: str) -> Tower: ...

    def seen(self, image: Image) -> Image:
        """Return the part of an image that the tower sees, before normalisation: heat maps and masks lie over it."""
        return image

    def modules(self) -> list[ModuleRow]:
        return []

    def missing(self) -> list[Requirement]:
        return []


@dataclass(frozen=True, kw_only=True)
class BuildContext:
    """What a reasoner or head is built from: the classes, the shapes of the signals it reads, where and how."""

    classes: tuple[str, ...]
    shapes: Mapping[str, Shape]
    seed: int
    class_words: tuple[str, ...] = ()  # what the prompt calls the classes
    device: str = "cpu"
    precision: Literal["fp32", "bf16"] = "fp32"
    reasoner: nn.Module | None = None  # for a head that borrows from it, such as the verbalizer


class Reasoner(Component):
    """A language model that reads image tokens and a prompt, and gives a state and a rationale."""

    kind = "reasoner"

    def brings(self) -> Mapping[str, Encoder]:
        """Return encoders that come with the reasoner itself (Qwen's own tower), by instance name."""
        return {}

    @abstractmethod
    def needs(self) -> tuple[str, ...]:
        """Return the full names of the signals it reads, e.g. `("clip.image_tokens",)`."""

    @abstractmethod
    def provides(self) -> Mapping[str, Shape]: ...

    @abstractmethod
    def build(self, context: BuildContext) -> nn.Module:
        """Return a module with the methods of `skinframe.protocols.ReasonerModule`."""

    @abstractmethod
    def digest(self) -> str:
        """Return a hex digest of the base weights and the tokenizer."""

    def modules(self, shapes: Mapping[str, Shape]) -> list[ModuleRow]:
        return []

    def missing(self) -> list[Requirement]:
        return []


class Head(Component):
    """A small trained module from model signals to model signals."""

    kind = "head"

    @abstractmethod
    def needs(self) -> tuple[str, ...]: ...

    @abstractmethod
    def provides(self) -> tuple[str, ...]: ...

    @abstractmethod
    def build(self, context: BuildContext) -> nn.Module:
        """Return a module whose `forward` takes the needed signals by name and returns a dict of those provided."""


class Loss(Component):
    """One term. Its needs are the parameter names of `forward`, which returns a scalar.

    `normalise_by` names the signal whose first dim counts the loss terms, so that a step of several micro-batches
    gives the same value as one large batch.
    """

    kind = "loss"
    coupling: ClassVar[Coupling]
    normalise_by: ClassVar[str] = "labels"
    forward: Callable[..., Tensor]

    def state(self) -> dict[str, Tensor]:
        """Return what must survive a resume (a calibration queue); empty for a stateless term."""
        return {}

    def load_state(self, state: Mapping[str, Tensor]) -> None:
        """Take back what `state` returned."""


class Metric(Component):
    """A number from labels and probabilities; weights are the multiplicities of a bootstrap resample."""

    kind = "metric"
    higher_is_better: ClassVar[bool] = True
    has_floor: ClassVar[bool] = False  # report what a perfectly calibrated model of this sharpness would score

    @abstractmethod
    def value(
        self, labels: NDArray[np.int64], probabilities: NDArray[np.float64], weights: NDArray[np.float64]
    ) -> float:
        """Return the metric; NaN where it is undefined, never 0 or 1."""


class Calibrator(Component):
    """A map from logits to probabilities, fitted on validation predictions only."""

    kind = "calibrator"

    @abstractmethod
    def fit(self, logits: NDArray[np.float64], labels: NDArray[np.int64]) -> dict[str, Any]:
        """Return the fitted parameters as plain JSON values."""

    @abstractmethod
    def apply(self, logits: NDArray[np.float64], parameters: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return calibrated probabilities [N, C]."""


class Explainer(Component):
    """A heat map over image tokens for one prediction."""

    kind = "explainer"

    @abstractmethod
    def explain(self, forward: Callable[[Tensor], Tensor], image_tokens: Tensor, classes: Tensor) -> Tensor:
        """Return heat [B, P] >= 0 for the given classes; `forward` maps image tokens [B, P, V] to logits [B, C]."""


KINDS: dict[str, type[Component]] = {
    kind.kind: kind for kind in (Dataset, Prompt, Encoder, Reasoner, Head, Loss, Metric, Calibrator, Explainer)
}
