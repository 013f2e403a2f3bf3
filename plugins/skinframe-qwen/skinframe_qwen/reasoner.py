"""Qwen2.5-VL as the reasoner: its options, what it needs, and what is missing to run it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import skinframe
from skinframe.components import Shape
from skinframe.errors import Problem
from skinframe_qwen.checkpoint import Checkpoint, text_facts
from skinframe_qwen.gpu import cuda_memory
from skinframe_qwen.vision import QwenVision

if TYPE_CHECKING:
    from torch import nn

CPU_LIMIT = 1_000_000_000  # parameters; a larger language model is refused without a GPU
NATIVE = "native"  # instance name of the tower that the reasoner brings


@dataclass(frozen=True, kw_only=True)
class Lora:
    """Low-rank adapters (Hu et al. 2021, arXiv:2106.09685) on every linear layer of the language model."""

    r: int = 64
    alpha: float = 16.0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        if self.r < 1:
            raise ValueError(f"r must be at least 1, got {self.r}")
        if self.alpha <= 0:
            raise ValueError(f"alpha must be positive, got {self.alpha}")
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {self.dropout}")


class Qwen25VL(skinframe.Reasoner):
    """Qwen2.5-VL (Bai et al. 2025, arXiv:2502.13923), NF4 (Dettmers et al. 2023, arXiv:2305.14314), LoRA adapters."""

    name = "qwen2_5_vl"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        """Options of the reasoner.

        `model`: `embedded:NAME`, a local folder, or a hub id taken at `revision` from the hub's cache.
        `vision`: tokens of the frozen encoder through a trained connector (`clip`), Qwen's own frozen tower
        (`native`, Qwen's tower is loaded only then), or both, one image after the other.
        `encoder`: instance name of that encoder. `pool`: averages windows of pool x pool of its tokens, so 2 makes
        16 x 16 into 8 x 8. `native_size`: pixels of the side of Qwen's own input.
        `connector_dropout`: after the connector's GELU. `token_dropout`: share of image tokens hidden in training.
        """

        model: str = "embedded:qwen"
        revision: str = "main"
        vision: Literal["clip", "native", "both"] = "clip"
        encoder: str = "clip"
        quantize: Literal["nf4", "none"] = "nf4"
        lora: Lora = field(default_factory=Lora)
        pool: int | None = None
        native_size: int = 224
        connector_dropout: float = 0.0
        token_dropout: float = 0.0
        gradient_checkpointing: bool = False

        def __post_init__(self) -> None:
            if self.pool is not None and self.pool < 1:
                raise ValueError(f"pool must be at least 1, got {self.pool}")
            for name in ("connector_dropout", "token_dropout"):
                if not 0 <= getattr(self, name) < 1:
                    raise ValueError(f"{name} must be in [0, 1), got {getattr(self, name)}")

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint(model=self.config.model, revision=self.config.revision)

    def brings(self) -> Mapping[str, skinframe.Encoder]:
        if self.config.vision == "clip":
            return {}
        options = QwenVision.Config(
            model=self.config.model, revision=self.config.revision, size=self.config.native_size
        )
        return {NATIVE: QwenVision(options)}

    def needs(self) -> tuple[str, ...]:
        """Return the image signals in the order in which the reasoner reads them."""
        eyes = {"clip": (self.config.encoder,), "native": (NATIVE,), "both": (self.config.encoder, NATIVE)}
        return tuple(f"{name}.image_tokens" for name in eyes[self.config.vision])

    def provides(self) -> Mapping[str, Shape]:
        text = text_facts(self.checkpoint.architecture())
        return {"hidden": (int(text["hidden_size"]),), "rationale_logits": (int(text["vocab_size"]),)}

    def digest(self) -> str:
        return self.checkpoint.digest()

    def missing(self) -> list[skinframe.Requirement]:
        """Return the GPU first: a 7B model on a machine without one is refused before any download."""
        return self._missing_gpu() + self.checkpoint.missing()

    def _missing_gpu(self) -> list[skinframe.Requirement]:
        from skinframe_qwen.sizes import least_memory, parameters

        architecture = self.checkpoint.architecture()
        if parameters(architecture) < CPU_LIMIT:
            return []
        needed, found = least_memory(architecture, self.config.quantize, self.config.lora.r), cuda_memory()
        if found >= needed:
            return []
        has = f"the largest here has {found / 1e9:.0f} GB" if found else "the driver sees none here"
        what = f"a CUDA GPU for {self.config.model}, {needed / 1e9:.0f} GB of it for weights and optimiser alone; {has}"
        return [skinframe.Requirement(what=what, next_step="run on such a machine, or take --preset tiny", kind="gpu")]

    def modules(
        self, shapes: Mapping[str, Shape], precision: Literal["fp32", "bf16"] = "fp32"
    ) -> list[skinframe.ModuleRow]:
        from skinframe_qwen._count import reasoner_rows

        return reasoner_rows(self.checkpoint.architecture(), self.config, self._image_shapes(shapes), precision)

    def _image_shapes(self, shapes: Mapping[str, Shape]) -> list[Shape]:
        """Return (P, V) of each image the reasoner reads. Raises RecipeError where tokens are no square grid."""
        from skinframe_qwen.sizes import pooled_side

        found = [shapes[name] for name in self.needs()]
        if self.config.vision != "native":
            try:
                pooled_side(found[0][0], self.config.pool)
            except ValueError as error:
                raise skinframe.RecipeError("reasoner", [Problem("reasoner.config.pool", str(error))]) from None
        return found

    def build(self, context: skinframe.BuildContext) -> nn.Module:
        """Return the module of `skinframe.protocols.ReasonerModule`. Raises RecipeError without weights."""
        from skinframe_qwen._module import QwenReasoner

        folder = self.checkpoint.folder
        if folder is None:
            raise skinframe.RecipeError("reasoner", [Problem(self.config.model, self.checkpoint.next_step())])
        self._image_shapes(context.shapes)
        return QwenReasoner(folder, self.config, self.needs(), context)
