"""The built reasoner: image tokens and a prompt in, a state at the answer position and rationale logits out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from skinframe import BuildContext, PromptText
from skinframe.reasoner_module import TokenRow
from skinframe.seeding import derive
from skinframe_vlm.chat_template import ChatText
from skinframe_vlm.config_sizes import native_grid, pooled_side
from skinframe_vlm.connector import Connector, pool_grid
from skinframe_vlm.greedy_decoding import greedy
from skinframe_vlm.load_weights import load_language_model
from skinframe_vlm.lora_adapters import add_lora, load_trained, trained
from skinframe_vlm.model_family import GRID, TOKENS, Family, ImageInput, PromptTokens
from skinframe_vlm.reasoner_options import ReasonerOptions

SIGNALS = frozenset({"hidden", "rationale_logits"})


class VisionLanguageModule(nn.Module):
    """A `skinframe.reasoner_module.ReasonerModule` over the language model of any family.

    `images` gives, for each image of a prompt, the full names of its signals by their short names:
    `{"image_tokens": "native.image_tokens", "deepstack": "native.deepstack"}`. `foreign`: whether the first image is
    from the recipe's encoder and goes through the connector.
    """

    base: Any  # transformers' class, whose annotations say less than it has

    def __init__(
        self,
        family: Family,
        folder: Path,
        options: ReasonerOptions,
        images: Sequence[Mapping[str, str]],
        context: BuildContext,
        *,
        foreign: bool,
    ) -> None:
        super().__init__()
        self._family, self._options, self._images, self._precision = family, options, images, context.precision
        shapes = [context.shapes[names[TOKENS]] for names in images]
        device = torch.device(context.device)
        with torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]):  # new layers draw from it
            self.base = load_language_model(family, folder, options.quantize, context.precision, context.device)
            add_lora(self.base, family, options.lora, derive(context.seed, "lora"))
            self.connector = self._new_connector(shapes[0][-1], context) if foreign else None
        if options.gradient_checkpointing:
            self.base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        self._grids = [native_grid(shape[0]) for shape in shapes]
        counts = [family.placeholders(shape[0]) for shape in shapes]
        if foreign:
            side = pooled_side(shapes[0][0], options.pool)
            self._grids[0], counts[0] = (side, side), side * side
        self._placeholders = sum(counts)
        self._text = ChatText(folder, family.chat, counts, getattr(self.base.config, "image_token_id", None))

    def _new_connector(self, V: int, context: BuildContext) -> Connector:
        table = self.base.get_input_embeddings().weight
        connector = Connector(V, table.shape[1], dropout=self._options.connector_dropout)
        connector.initialise(derive(context.seed, "connector"), scale=float(table.detach().float().std()))
        return connector.to(context.device)

    @property
    def device(self) -> torch.device:
        device: torch.device = self.base.device
        return device

    @property
    def pad_id(self) -> int:
        return self._text.end

    def tokenize(self, prompt: PromptText, target: str | None) -> TokenRow:
        return self._text.row(prompt, target)

    def forward(self, batch: Mapping[str, Tensor], want: frozenset[str]) -> dict[str, Tensor]:
        """Return `hidden` [B, H] and `rationale_logits` [T, L], float32, whichever are wanted.

        Where no rationale is wanted, nothing after the last answer position is computed. Raises ValueError on an
        unknown signal or where image tokens and placeholders do not agree.
        """
        if want - SIGNALS:
            raise ValueError(f"the reasoner does not give {', '.join(sorted(want - SIGNALS))}")
        width = batch["token_ids"].shape[1] if "rationale_logits" in want else int(batch["answer_at"].max()) + 1
        signals = {}
        with self.autocast():
            images = self._read_images(batch)
            prompt = self._read_prompt(batch["token_ids"][:, :width], batch["token_mask"][:, :width], images)
            inputs = self._family.inputs(self.base, prompt, images)
            language = self.base.get_submodule(self._family.language)
            states: Tensor = language(use_cache=False, **inputs).last_hidden_state
            if "hidden" in want:
                rows = torch.arange(len(states), device=states.device)
                signals["hidden"] = states[rows, batch["answer_at"]].float()
            if "rationale_logits" in want:
                row, position = batch["rationale_at"].unbind(-1)
                signals["rationale_logits"] = self.base.get_output_embeddings()(states[row, position]).float()
        return signals

    def autocast(self) -> AbstractContextManager[Any]:
        """Compute in bf16 over float32 adapters and connector where the run's precision is bf16."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self._precision == "bf16")

    def _read_images(self, batch: Mapping[str, Tensor]) -> list[ImageInput]:
        """Return the images of each row. Native tokens are in the embedding space; others go through the connector."""
        images = []
        for number, (names, grid) in enumerate(zip(self._images, self._grids, strict=True)):
            signals = {name: batch[full].to(self.device) for name, full in names.items()}
            tokens = signals.pop(TOKENS)
            if self.connector is not None and number == 0:
                tokens = self.connector(pool_grid(tokens.float(), self._options.pool))
            if tokens.shape[1] != grid[0] * grid[1]:
                raise ValueError(f"{names[TOKENS]}: {tokens.shape[1]} image tokens, expected {grid[0] * grid[1]}")
            grids = signals.pop(GRID, torch.tensor([grid] * len(tokens), device=self.device)).long()
            images.append(ImageInput(tokens=tokens, grid=grids, outputs=signals))
        return images

    def _read_prompt(self, ids: Tensor, mask: Tensor, images: Sequence[ImageInput]) -> PromptTokens:
        """Return the token rows; placeholders that only pad a smaller image count as absent."""
        at = ids == self._text.placeholder
        if not bool((at.sum(dim=1) == self._placeholders).all()):
            raise ValueError(f"not every prompt has the {self._placeholders} placeholders of its image tokens")
        if any(GRID in names for names in self._images):
            used = [
                torch.arange(image.tokens.shape[1], device=ids.device) < image.grid.prod(dim=1, keepdim=True)
                for image in images
            ]
            mask = mask.masked_scatter(at, torch.cat(used, dim=1).to(mask.dtype))
        return PromptTokens(ids=ids, present=mask, attended=self._drop_tokens(mask, at), placeholder=at)

    def _drop_tokens(self, mask: Tensor, at: Tensor) -> Tensor:
        """Mask a random share of image tokens from attention in training."""
        share = self._options.token_dropout
        if not self.training or share == 0:
            return mask
        return mask.masked_fill((torch.rand(mask.shape, device=mask.device) < share) & at, 0)

    @torch.no_grad()
    def generate(self, batch: Mapping[str, Tensor], max_new_tokens: int) -> list[str]:
        """Return one greedy continuation a row. Only the prompt is read: a target that follows it is hidden."""
        was_training = self.training
        self.eval()
        try:
            with self.autocast():
                answer = batch["answer_at"]
                ids = batch["token_ids"][:, : int(answer.max()) + 1]
                mask = (torch.arange(ids.shape[1], device=ids.device) <= answer.unsqueeze(1)).long()
                images = self._read_images(batch)
                prompt = self._read_prompt(ids, mask, images)
                inputs = self._family.inputs(self.base, prompt, images)
                tokens = greedy(
                    self.base, self._family, inputs, prompt.present, answer, limit=max_new_tokens, stop=self._text.end
                )
        finally:
            self.train(was_training)
        return [self._text.read(row) for row in tokens]

    def label_rows(self, words: Sequence[str]) -> Tensor:
        """Return [C, H] float32. Raises ValueError naming the words that start with the same token."""
        first = [self._text.plain(word)[0] for word in words]
        clashes = [word for word, token in zip(words, first, strict=True) if first.count(token) > 1]
        if clashes:
            raise ValueError(f"label words start with the same token: {', '.join(map(repr, clashes))}")
        rows: Tensor = self.base.get_output_embeddings().weight.detach()[first].float()
        return rows

    def trained_state(self) -> dict[str, Tensor]:
        own = trained(self.base, self._family, self.connector)
        return {name: parameter.detach().cpu().clone() for name, parameter in own.items()}

    def load_trained_state(self, state: Mapping[str, Tensor]) -> None:
        load_trained(trained(self.base, self._family, self.connector), state)
