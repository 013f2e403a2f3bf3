"""The reasoner of any family: what it needs and gives, its sizes, and what is missing on this machine to run it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

import skinframe
from skinframe.components import Shape
from skinframe.errors import Problem
from skinframe_vlm.config_sizes import cuda_memory, least_memory, parameters, pooled_side
from skinframe_vlm.local_checkpoint import LocalCheckpoint
from skinframe_vlm.model_family import TOKENS, Family
from skinframe_vlm.native_vision_encoder import NativeVision

if TYPE_CHECKING:
    from torch import nn

CPU_LIMIT = 1_000_000_000  # parameters; a larger language model is refused without a GPU
NATIVE = "native"  # instance name of the vision tower that the reasoner brings


class VisionLanguageReasoner(skinframe.Reasoner):
    """A vision-language model with NF4 weights, LoRA adapters and a connector; a family's file fills in three names.

    `family` describes the model, `eyes` is its own vision tower as an encoder, `Config` holds the options.
    """

    family: ClassVar[Family]
    eyes: ClassVar[type[NativeVision]]

    @property
    def checkpoint(self) -> LocalCheckpoint:
        return LocalCheckpoint(family=self.family, model=self.config.model, revision=self.config.revision)

    @property
    def reads_encoder(self) -> bool:
        """Whether the first image of a prompt is that of the recipe's encoder, through the connector."""
        return bool(self.config.vision != "native")

    def brings(self) -> Mapping[str, skinframe.Encoder]:
        config = self.config
        if config.vision == "clip":
            return {}
        aspect = {"aspect": config.native_aspect} if hasattr(config, "native_aspect") else {}
        options = self.eyes.Config(model=config.model, revision=config.revision, size=config.native_size, **aspect)
        return {NATIVE: self.eyes(options)}

    def needs(self) -> tuple[str, ...]:
        """Return the image signals in the order in which the reasoner reads them."""
        return tuple(full for names in self.images() for full in names.values())

    def images(self) -> list[dict[str, str]]:
        """Return, for each image of a prompt in order, the full name of each of its signals by short name."""
        images = [{TOKENS: f"{self.config.encoder}.{TOKENS}"}] if self.reads_encoder else []
        eyes = [encoder for encoder in self.brings().values() if isinstance(encoder, NativeVision)]
        return images + [{signal: f"{NATIVE}.{signal}" for signal in encoder.signals()} for encoder in eyes]

    def provides(self) -> Mapping[str, Shape]:
        text = self.family.text(self.checkpoint.architecture())
        return {"hidden": (int(text["hidden_size"]),), "rationale_logits": (int(text["vocab_size"]),)}

    def digest(self) -> str:
        return self.checkpoint.digest()

    def missing(self) -> list[skinframe.Requirement]:
        """Return the GPU first: a 7B model on a machine without one is refused before any download."""
        return self._missing_gpu() + self.checkpoint.missing()

    def _missing_gpu(self) -> list[skinframe.Requirement]:
        architecture, config = self.checkpoint.architecture(), self.config
        text = self.family.text(architecture)
        if parameters(text) < CPU_LIMIT:
            return []
        tied = bool(architecture.get("tie_word_embeddings"))
        needed, largest = least_memory(text, tied=tied, quantize=config.quantize, r=config.lora.r), cuda_memory()
        if largest >= needed:
            return []
        has = f"the largest here has {largest / 1e9:.0f} GB" if largest else "the driver sees none here"
        what = f"a CUDA GPU for {config.model}, {needed / 1e9:.0f} GB of it for weights and optimiser alone; {has}"
        step = "run on such a machine, or use --preset tiny"
        return [skinframe.Requirement(what=what, next_step=step, kind="gpu")]

    def modules(
        self, shapes: Mapping[str, Shape], precision: Literal["fp32", "bf16"] = "fp32"
    ) -> list[skinframe.ModuleRow]:
        from skinframe_vlm.meta_device_counts import reasoner_rows

        self._check_grid(shapes)
        image_shapes = [shapes[names[TOKENS]] for names in self.images()]
        return reasoner_rows(self.family, self.checkpoint.architecture(), self.config, image_shapes, precision)

    def _check_grid(self, shapes: Mapping[str, Shape]) -> None:
        """Raise RecipeError where the encoder's tokens are no square grid, or one that `pool` does not divide."""
        if self.reads_encoder:
            try:
                pooled_side(shapes[self.images()[0][TOKENS]][0], self.config.pool)
            except ValueError as error:
                raise skinframe.RecipeError("reasoner", [Problem("reasoner.config.pool", str(error))]) from None

    def build(self, context: skinframe.BuildContext) -> nn.Module:
        """Return the module of `skinframe.reasoner_module.ReasonerModule`. Raises RecipeError without weights."""
        from skinframe_vlm.vision_language_module import VisionLanguageModule

        folder = self.checkpoint.require_folder()
        self._check_grid(context.shapes)
        return VisionLanguageModule(
            self.family, folder, self.config, self.images(), context, foreign=self.reads_encoder
        )
