"""One deliberately wrong reasoner for each check of the contract kit, each a small change of a real one."""

from __future__ import annotations

import hashlib

import torch
from torch import nn

import skinframe
from skinframe.data.token_padding import lay_out
from skinframe.reasoner_module import TokenRow

H, L, END = 12, 97, 96


class Bytes(nn.Module):
    """Reads an image and characters by running sums: a `ReasonerModule` that passes every check."""

    def __init__(self, reads, width, seed):
        super().__init__()
        self.reads, self.pad_id = reads, END
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.eye, self.state = nn.Linear(width, H), nn.Linear(H, H)
            torch.manual_seed(0)  # the frozen base, the same for every seed
            self.register_buffer("table", torch.randn(L, H))
            self.register_buffer("head", 3 * torch.randn(L, H))

    def tokenize(self, prompt, target):
        def ids(text):
            return tuple(ord(character) % END for character in text)

        return TokenRow.of(ids(prompt.system + prompt.user), () if target is None else (*ids(target), END))

    def states(self, batch):
        read = self.table[batch["token_ids"]] * batch["token_mask"].unsqueeze(-1)
        place = torch.arange(1, read.shape[1] + 1).sqrt().view(1, -1, 1)
        image = self.eye(batch[self.reads]).mean(dim=1, keepdim=True)
        return self.state(torch.tanh(read.cumsum(dim=1) / place + image))

    def forward(self, batch, want):
        states = self.states(batch)
        row, position = batch["rationale_at"].unbind(-1)
        rows = torch.arange(len(states))
        found = {"hidden": states[rows, batch["answer_at"]], "rationale_logits": states[row, position] @ self.head.T}
        return {name: found[name] for name in want}

    @torch.no_grad()
    def generate(self, batch, max_new_tokens):
        prompts = [ids[: at + 1].tolist() for ids, at in zip(batch["token_ids"], batch["answer_at"], strict=True)]
        return [self.write(tuple(ids), batch[self.reads][b : b + 1], max_new_tokens) for b, ids in enumerate(prompts)]

    def write(self, prompt, image, count):
        text = ""
        for _ in range(count):
            state = self(lay_out([TokenRow.of(prompt)], END) | {self.reads: image}, frozenset({"hidden"}))["hidden"]
            token = int((state @ self.head.T).argmax())
            if token == END:
                break
            prompt, text = (*prompt, token), text + chr(32 + token)
        return text

    def label_rows(self, words):
        first = [ord(word[0]) % END for word in words]
        if len(set(first)) < len(first):
            raise ValueError(f"two of {', '.join(words)} start with the same token")
        return self.head[first]

    def trained_state(self):
        return {name: parameter.detach().clone() for name, parameter in self.named_parameters()}

    def load_trained_state(self, state):
        if state.keys() != dict(self.named_parameters()).keys():
            raise ValueError("the state does not fit")
        self.load_state_dict(state, strict=False)


class Right(skinframe.Reasoner):
    """Passes every check."""

    name = "right"
    module = Bytes

    def needs(self):
        return ("clip.image_tokens",)

    def provides(self):
        return {"hidden": (H,), "rationale_logits": (L,)}

    def digest(self):
        return hashlib.sha256(b"right 1").hexdigest()

    def build(self, context):
        (need,) = set(self.needs()) - {"batch.labels"}
        return self.module(need, context.shapes[need][-1], context.seed % 2**31)


class ReadsLabels(Right):
    def needs(self):
        return ("clip.image_tokens", "batch.labels")


class AdHocDigest(Right):
    def digest(self):
        return f"{id(self):032x}"


class OwnDice(Bytes):
    """Draws its weights from whatever state the random generator is in."""

    def __init__(self, reads, width, seed):
        super().__init__(reads, width, seed)
        nn.init.normal_(self.eye.weight, std=0.1)


class PadsWithNothing(Bytes):
    """Fills rows with a number that is no token."""

    def __init__(self, reads, width, seed):
        super().__init__(reads, width, seed)
        self.pad_id = -1


class GivesAll(Bytes):
    def forward(self, batch, want):
        return super().forward(batch, frozenset({"hidden", "rationale_logits"}))


class MixesBatch(Bytes):
    def states(self, batch):
        states = super().states(batch)
        return states - states[:, :1].mean(dim=0, keepdim=True)


class LooksAhead(Bytes):
    """Every position sees the whole row, so the class path reads the answer that is to be learned."""

    def states(self, batch):
        states = super().states(batch)
        last = batch["token_mask"].sum(dim=1) - 1
        return states + 0.1 * states[torch.arange(len(states)), last].unsqueeze(1)


class Blind(Bytes):
    def states(self, batch):
        return super().states({**batch, self.reads: torch.ones_like(batch[self.reads])})


class Idle(Bytes):
    def __init__(self, reads, width, seed):
        super().__init__(reads, width, seed)
        self.unused = nn.Parameter(torch.zeros(2))


class TakesAnything(Bytes):
    def load_trained_state(self, state):
        self.load_state_dict(state, strict=False)


class ReadsTarget(Bytes):
    """Goes on writing after the target that it should write itself."""

    @torch.no_grad()
    def generate(self, batch, max_new_tokens):
        lengths = batch["token_mask"].sum(dim=1)
        whole = {**batch, "answer_at": lengths - 1}
        return super().generate(whole, max_new_tokens)


class TakesClashes(Bytes):
    def label_rows(self, words):
        return self.head[[ord(word[0]) % END for word in words]]


def _with(module):
    return type(f"With{module.__name__}", (Right,), {"module": module})()


RIGHT = [Right()]
WRONG = {
    "label_free": ReadsLabels(),
    "digested": AdHocDigest(),
    "built": _with(OwnDice),
    "tokenized": _with(PadsWithNothing),
    "declared": _with(GivesAll),
    "alone": _with(MixesBatch),
    "class_path": _with(LooksAhead),
    "attentive": _with(Blind),
    "gradient": _with(Idle),
    "saved": _with(TakesAnything),
    "generates": _with(ReadsTarget),
    "words": _with(TakesClashes),
}
ALSO = {"class_path": {"generates"}}  # what the state sees, the writing sees
