"""The chat template of Qwen2.5, written out; control tokens come from here and never from a text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from skinframe import PromptText
from skinframe.protocols import TokenRow

IM_START, IM_END = "<|im_start|>", "<|im_end|>"
VISION_START, IMAGE_PAD, VISION_END = "<|vision_start|>", "<|image_pad|>", "<|vision_end|>"
CONTROL = (IM_START, IM_END, VISION_START, IMAGE_PAD, VISION_END)


class ChatText:
    """Tokenizer and template: <|im_start|>system … <|im_start|>user <|vision_start|>…<|vision_end|> question …

    Texts go through a second tokenizer that has no added tokens at all, so that `<|im_end|>` inside a text is spelled
    out as ordinary characters and can never end a turn.
    """

    def __init__(self, folder: Path, image_tokens: Sequence[int]) -> None:
        source = (folder / "tokenizer.json").read_text(encoding="utf-8")
        self._whole = Tokenizer.from_str(source)
        self._plain = Tokenizer.from_str(json.dumps(json.loads(source) | {"added_tokens": []}))
        self._image_tokens = tuple(image_tokens)
        self.control = {name: self._control_id(name) for name in CONTROL}
        self._forbidden = frozenset(self._whole.get_added_tokens_decoder())

    def row(self, prompt: PromptText, target: str | None) -> TokenRow:
        """Return the tokens of a prompt that ends where the answer starts, and of the target that follows it."""
        start, end = self.control[IM_START], self.control[IM_END]
        turn = [end, *self.plain("\n"), start]
        tokens = [start, *self.plain(f"system\n{prompt.system}"), *turn, *self.plain("user\n")]
        for count in self._image_tokens:
            pads = [self.control[IMAGE_PAD]] * count
            tokens += [self.control[VISION_START], *pads, self.control[VISION_END]]
        tokens += [*self.plain(prompt.user), *turn, *self.plain("assistant\n")]
        after = () if target is None else (*self.plain(target), end)
        return TokenRow(prompt=tuple(tokens), target=after)

    def plain(self, text: str) -> list[int]:
        """Return the tokens of a text in which nothing is a control token."""
        tokens: list[int] = self._plain.encode(text, add_special_tokens=False).ids
        assert self._forbidden.isdisjoint(tokens), "a text gave a control token"
        return tokens

    def read(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, without special tokens."""
        text: str = self._whole.decode(list(tokens), skip_special_tokens=True)
        return text

    def _control_id(self, name: str) -> int:
        found = self._whole.token_to_id(name)
        if found is None:
            raise ValueError(f"the tokenizer has no token {name}: this is not a Qwen2.5-VL checkpoint")
        return int(found)
