import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

import skinframe
from skinframe.data.token_padding import lay_out
from skinframe.reasoner_module import TokenRow

H, L, END = 32, 97, 96  # width of the state, tokens, the token that ends a text


class MyModule(nn.Module):
    """Running sums of image tokens and characters: the smallest `skinframe.reasoner_module.ReasonerModule`."""

    table: Tensor
    head: Tensor

    def __init__(self, reads: str, width: int, seed: int) -> None:
        super().__init__()
        self.reads, self.pad_id = reads, END
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)  # what is trained comes from the seed alone
            self.eye, self.state = nn.Linear(width, H), nn.Linear(H, H)
            torch.manual_seed(0)  # the frozen base is the same for every seed
            self.register_buffer("table", torch.randn(L, H))
            self.register_buffer("head", 3 * torch.randn(L, H))

    def tokenize(self, prompt: skinframe.PromptText, target: str | None) -> TokenRow:
        return TokenRow.of(_ids(prompt.system + prompt.user), () if target is None else (*_ids(target), END))

    def states(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return a state for each position [B, S, H] that has seen the image and the text up to there."""
        read = self.table[batch["token_ids"]] * batch["token_mask"].unsqueeze(-1)
        place = torch.arange(1, read.shape[1] + 1).sqrt().view(1, -1, 1)
        image = self.eye(batch[self.reads]).mean(dim=1, keepdim=True)
        states: Tensor = self.state(torch.tanh(read.cumsum(dim=1) / place + image))
        return states

    def forward(self, batch: Mapping[str, Tensor], want: frozenset[str]) -> dict[str, Tensor]:
        states = self.states(batch)
        row, position = batch["rationale_at"].unbind(-1)
        hidden = states[torch.arange(len(states)), batch["answer_at"]]
        found = {"hidden": hidden, "rationale_logits": states[row, position] @ self.head.T}
        return {name: found[name] for name in want}

    @torch.no_grad()
    def generate(self, batch: Mapping[str, Tensor], max_new_tokens: int) -> list[str]:
        prompts = [ids[: at + 1].tolist() for ids, at in zip(batch["token_ids"], batch["answer_at"], strict=True)]
        return [self._write(tuple(p), batch[self.reads][b : b + 1], max_new_tokens) for b, p in enumerate(prompts)]

    def _write(self, prompt: tuple[int, ...], image: Tensor, count: int) -> str:
        text = ""
        for _ in range(count):
            batch = {**lay_out([TokenRow.of(prompt)], END), self.reads: image}
            token = int((self(batch, frozenset({"hidden"}))["hidden"] @ self.head.T).argmax())
            if token == END:
                break
            prompt, text = (*prompt, token), text + chr(32 + token)
        return text

    def label_rows(self, words: Sequence[str]) -> Tensor:
        first = [_ids(word)[0] for word in words]
        if len(set(first)) < len(first):
            raise ValueError(f"two of {', '.join(words)} start with the same token")
        return self.head[first]

    def trained_state(self) -> dict[str, Tensor]:
        return {name: parameter.detach().clone() for name, parameter in self.named_parameters()}

    def load_trained_state(self, state: Mapping[str, Tensor]) -> None:
        own = dict(self.named_parameters())
        if state.keys() != own.keys():
            raise ValueError(f"expected {', '.join(own)}, got {', '.join(state)}")
        self.load_state_dict(dict(state), strict=False)


def _ids(text: str) -> tuple[int, ...]:
    return tuple((ord(character) - 32) % END for character in text)


class MyName(skinframe.Reasoner):
    """Sums of characters and image tokens: nothing that reasons yet, and everything that the engine asks for."""

    name = "my_name"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        encoder: str = "clip"  # instance name of the encoder whose image tokens it reads

    def needs(self) -> tuple[str, ...]:
        return (f"{self.config.encoder}.image_tokens",)

    def provides(self) -> Mapping[str, tuple[int, ...]]:
        return {"hidden": (H,), "rationale_logits": (L,)}

    def digest(self) -> str:
        # raise the number whenever the frozen base or the tokens change
        return hashlib.sha256(b"my_name 1").hexdigest()

    def build(self, context: skinframe.BuildContext) -> nn.Module:
        (need,) = self.needs()
        return MyModule(need, context.shapes[need][-1], context.seed % 2**31).to(context.device)


@skinframe.hookimpl
def register_reasoners() -> list[type[skinframe.Reasoner]]:
    return [MyName]
