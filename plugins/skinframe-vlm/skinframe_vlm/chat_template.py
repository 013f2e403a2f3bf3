"""Text to tokens by a family's chat template; control tokens come from the template and never from a text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from skinframe import PromptText, RecipeError
from skinframe.errors import Problem
from skinframe.printable_text import printable
from skinframe.reasoner_module import TokenRow
from skinframe.untrusted_files import UnreadableError, parse_object, read_text
from skinframe_vlm.folder_check import MAX_TOKENIZER
from skinframe_vlm.model_family import ChatTemplate

SLOT = re.compile(r"\{(system|image|user|tokens)\}")


def _tokenizers(path: Path) -> tuple[Tokenizer, Tokenizer]:
    """Return the tokenizer of a file and the same without added tokens. Raises RecipeError where it is none."""
    try:
        source = read_text(path, MAX_TOKENIZER)
        written = parse_object(source, path)
        return Tokenizer.from_str(source), Tokenizer.from_str(json.dumps(written | {"added_tokens": []}))
    except UnreadableError as error:
        what = f"{error.reason}; copy the one beside the weights"
        raise RecipeError("reasoner", [Problem(error.where, what)]) from error
    except Exception as error:  # the Rust parser raises bare exceptions
        what = f"is not a tokenizer ({printable(str(error))[:120]}); copy the one beside the weights"
        raise RecipeError("reasoner", [Problem(str(path), what)]) from error


class ChatText:
    """A checkpoint's tokenizer and its family's template, for images of `image_tokens` tokens each.

    Texts go through a second tokenizer without any added token, so that `<|im_end|>` inside a text is spelled out as
    ordinary characters and cannot end a turn. Raises RecipeError where the tokenizer is not the checkpoint's: it lacks
    a control token, or its placeholder is not the id `placeholder` of config.json.
    """

    def __init__(
        self, folder: Path, template: ChatTemplate, image_tokens: Sequence[int], placeholder: int | None = None
    ) -> None:
        self._whole, self._plain = _tokenizers(folder / "tokenizer.json")
        self._template, self._image_tokens = template, tuple(image_tokens)
        self._control_pattern = re.compile("|".join(map(re.escape, sorted(template.control, key=len, reverse=True))))
        ids = {name: self._whole.token_to_id(name) for name in template.control}
        absent = [name for name, token in ids.items() if token is None]
        what = f"has no token {', '.join(absent)}" if absent else None
        own = ids[template.placeholder]
        if what is None and placeholder not in (None, own):
            what = f"gives {template.placeholder} the id {own}, but config.json says {placeholder}"
        if what is not None:
            where = str(folder / "tokenizer.json")
            problem = Problem(where, f"{what}: it is another model's; copy the one beside the weights")
            raise RecipeError("reasoner", [problem])
        self.control = {name: token for name, token in ids.items() if token is not None}
        self.placeholder, self.end = self.control[template.placeholder], self.control[template.end]
        self._reserved = frozenset(self._whole.get_added_tokens_decoder())

    def row(self, prompt: PromptText, target: str | None) -> TokenRow:
        """Return the tokens of a prompt that ends where the answer starts, and of the target that follows it."""
        template = self._template
        images: list[str | int] = []
        for count in self._image_tokens:
            images += self._pieces(template.image, {"tokens": [self.placeholder] * count})
        slots: dict[str, Sequence[str | int]] = {"system": [prompt.system], "image": images, "user": [prompt.user]}
        tokens = self._encode(self._pieces(template.prompt, slots))
        answer = () if target is None else (*self.plain(target), self.end)
        return TokenRow.of(tokens, answer)

    def plain(self, text: str) -> list[int]:
        """Return the tokens of a text in which nothing is a control token."""
        tokens: list[int] = self._plain.encode(text, add_special_tokens=False).ids
        if not self._reserved.isdisjoint(tokens):
            raise ValueError(f"the text {text!r} contains a control token of the model; remove it")
        return tokens

    def read(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, without special tokens."""
        text: str = self._whole.decode(list(tokens), skip_special_tokens=True)
        return text

    def _pieces(self, template: str, slots: Mapping[str, Sequence[str | int]]) -> list[str | int]:
        """Return a template's literal texts and control tokens in order, with the slots filled in."""
        pieces: list[str | int] = []
        for index, part in enumerate(SLOT.split(template)):
            pieces += slots[part] if index % 2 else self._literals(part)
        return pieces

    def _literals(self, text: str) -> Iterator[str | int]:
        start = 0
        for match in self._control_pattern.finditer(text):
            yield text[start : match.start()]
            yield self.control[match.group()]
            start = match.end()
        yield text[start:]

    def _encode(self, pieces: Sequence[str | int]) -> list[int]:
        """Encode the text between two control tokens in one go, as the family's own tokenizer does."""
        tokens: list[int] = []
        text = ""
        for piece in pieces:
            if isinstance(piece, str):
                text += piece
                continue
            tokens += self.plain(text) if text else []
            tokens.append(piece)
            text = ""
        return tokens + (self.plain(text) if text else [])
