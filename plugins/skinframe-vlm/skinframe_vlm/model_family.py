"""What a model family supplies: its classes, its chat template, its eyes, and how its language model is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from skinframe.components import Shape

if TYPE_CHECKING:
    from torch import Tensor

TOKENS = "image_tokens"  # the image signal that every encoder gives
GRID = "image_grid"  # rows and columns of each image's tokens, where images of one batch differ


@dataclass(frozen=True, kw_only=True)
class ChatTemplate:
    """A prompt with one question, as text with the slots {system}, {image} and {user}; the answer follows it.

    `image` is what stands for one image, with the slot {tokens} for its placeholders. `control` lists every special
    token that the two texts and `end` write; all else is ordinary text. `end` closes an answer.
    """

    prompt: str
    image: str
    placeholder: str
    end: str
    control: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, eq=False)
class PromptTokens:
    """A batch of token rows, each tensor [B, S].

    `present`: 1 where a token exists; positions count these. `attended`: `present` without the image tokens that
    token dropout masks. `placeholder`: True where an image token stands.
    """

    ids: Tensor
    present: Tensor
    attended: Tensor
    placeholder: Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class ImageInput:
    """One image of each row: `tokens` [B, P, H], the `grid` [B, 2] of their rows and columns, further outputs by name.

    `outputs` holds what the model's own tower gives beside its tokens, each [B, P, ...]; it is empty for the tokens of
    another encoder. Where rows x columns is less than P, the last tokens are padding.
    """

    tokens: Tensor
    grid: Tensor
    outputs: Mapping[str, Tensor] = field(default_factory=dict)


class Family:
    """One vision-language model family of transformers. The defaults fit the many that are laid out as LLaVA is.

    Reading the class attributes and the size methods imports neither torch nor transformers.
    """

    model_type: ClassVar[str]  # `model_type` of its config.json
    title: ClassVar[str]  # its name in messages
    chat: ClassVar[ChatTemplate]
    language: ClassVar[str] = "model.language_model"  # submodule: the decoder, with `layers` and without LM head
    language_side: ClassVar[tuple[str, ...]] = ("model.language_model", "lm_head")  # submodules the eyes do without
    unquantized: ClassVar[tuple[str, ...]] = ("lm_head",)  # on the language side, beside the decoder
    eyes: ClassVar[tuple[str, ...]] = ("model.vision_tower", "model.multi_modal_projector")  # submodules: images to H
    mergers: ClassVar[tuple[str, ...]] = ("model.multi_modal_projector",)  # those of the eyes that run once a token
    adapted: ClassVar[str] = r"layers\.\d+\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"  # linears in `language`
    mean: ClassVar[tuple[float, ...]] = (0.48145466, 0.4578275, 0.40821073)
    std: ClassVar[tuple[float, ...]] = (0.26862954, 0.26130258, 0.27577711)
    crop: ClassVar[bool] = False  # the tower sees the central square of an image instead of the whole, squeezed
    signals: ClassVar[tuple[str, ...]] = (TOKENS,)  # what the eyes give, the image tokens first
    parts: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # allowed `model_type` of the configs inside config.json
    text_defaults: ClassVar[Mapping[str, Any]] = {}  # what the published text_config may leave out

    def classes(self) -> tuple[Any, Any]:
        """Return the config class and the class of the whole model, imported here and never chosen by a file."""
        raise NotImplementedError

    def text(self, architecture: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the language model's options: nested in newer config.json files, at the top of older ones."""
        nested = architecture.get("text_config")
        return {**self.text_defaults, **(architecture if nested is None else nested)}

    def patch(self, architecture: Mapping[str, Any]) -> int:
        """Return the side in pixels of one patch of the vision tower."""
        return int(architecture["vision_config"]["patch_size"])

    def merge(self, architecture: Mapping[str, Any]) -> int:
        """Return the side in patches of what becomes one image token."""
        return 1

    def tokens(self, architecture: Mapping[str, Any], size: int) -> int:
        """Return the image tokens of a square of `size` pixels. Raises ValueError for a size the tower cannot take."""
        pixels = self.patch(architecture) * self.merge(architecture)
        side, rest = divmod(size, pixels)
        if rest or not side:
            raise ValueError(f"{size} is not a multiple of {pixels}, the side of one image token in pixels")
        return side * side

    def outputs(self, architecture: Mapping[str, Any], tokens: int) -> Mapping[str, Shape]:
        """Return the shape of each of `signals` for `tokens` image tokens, these as its first axis."""
        return {TOKENS: (tokens, int(self.text(architecture)["hidden_size"]))}

    def placeholders(self, tokens: int) -> int:
        """Return the placeholders of an image of `tokens` tokens: fewer where `inputs` condenses them."""
        return tokens

    def see(self, model: Any, images: Sequence[Tensor]) -> list[dict[str, Tensor]]:
        """Run the eyes of `model` on standardised images [3, height, width]; return the signals of each image."""
        import torch

        features = model.model.get_image_features(torch.stack(list(images))).pooler_output
        return [{TOKENS: tokens} for tokens in features]

    def inputs(self, model: Any, prompt: PromptTokens, images: Sequence[ImageInput]) -> dict[str, Any]:
        """Return the arguments of the language model for a batch; `images` in the order in which a prompt shows them.

        A family overrides this to inject features into several layers, or to let image tokens attend both ways.
        """
        return {
            "inputs_embeds": self.embeddings(model, prompt, images),
            "attention_mask": prompt.attended,
            "position_ids": self.positions(model, prompt, images),
        }

    def embeddings(self, model: Any, prompt: PromptTokens, images: Sequence[ImageInput]) -> Tensor:
        """Return input embeddings [B, S, H] with the image tokens in their placeholders."""
        import torch

        embeds: Tensor = model.get_input_embeddings()(prompt.ids)
        tokens = torch.cat([image.tokens.to(embeds.dtype) for image in images], dim=1)
        return embeds.masked_scatter(prompt.placeholder.unsqueeze(-1), tokens)

    def positions(self, model: Any, prompt: PromptTokens, images: Sequence[ImageInput]) -> Tensor:
        """Return the position of every token: [B, S], or [axes, B, S] for rotary positions of several axes."""
        return (prompt.present.cumsum(dim=-1) - 1).clamp(min=0)

    def advance(self, state: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments that follow `state` by one generated token, beside embedding, mask and cache.

        The first `state` is what `inputs` gave, with `position_ids` [..., B, 1] of each row's last prompt token.
        """
        return {"position_ids": state["position_ids"] + 1}
