"""Train the tiny Qwen's language model to read image tokens, answer with the true posterior and explain."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from skinframe_vlm.chat_template import ChatText
from skinframe_vlm.models.qwen2_5_vl import CHAT, IMAGE_PAD
from torch import Tensor
from torch.nn import functional as F

from skinframe_tiny import likelihoods
from skinframe_tiny.build.qwen_training_examples import CLASS_WORDS, Cells, Lesson, lesson
from skinframe_tiny.patients import photographs

RATIONALE = 0.6  # chance that an answer opens with the rationale rather than with the diagnosis


@dataclass(frozen=True, kw_only=True)
class LanguageTrainingOptions:
    """Size of the data and options of the training."""

    photographs: int = 40_000
    steps: int = 1200
    batch: int = 32
    rate: float = 3e-3
    weight_decay: float = 0.02
    in_question: float = 0.15  # share of examples with the findings in the question instead of the image
    wide: float = 0.2  # share of batches with a grid of 8 x 8 instead of 4 x 4
    noise: float = 0.3  # standard deviation of the noise added to an image token, relative to its own
    seed: int = 7


@dataclass(frozen=True, kw_only=True, eq=False)
class Batch:
    """Padded tokens [B, S], where a token predicts a target of the rationale, and where a diagnosis starts."""

    ids: Tensor
    mask: Tensor
    answer: Tensor
    target_at: Tensor
    targets: Tensor
    class_at: Tensor
    posterior: Tensor
    cells: list[Cells]


class Teacher:
    """Turns examples into batches, with the chat template of the reasoner plugin and the first token of each class."""

    def __init__(self, folder: Any, side: int) -> None:
        self.chat, self.side = ChatText(folder, CHAT, [side * side]), side
        self.opening = torch.tensor([self.chat.plain(word)[0] for word in CLASS_WORDS])
        self.assessed = torch.tensor([self.chat.plain(f" {word}")[0] for word in CLASS_WORDS])
        for first in (self.opening, self.assessed):
            assert len(set(first.tolist())) == len(first), "two diagnoses start with the same token"

    def batch(self, lessons: Sequence[Lesson]) -> Batch:
        rows = [self.chat.row(example.prompt, example.rationale) for example in lessons]
        width = max(row.length for row in rows)
        ids, mask = torch.zeros(len(rows), width, dtype=torch.long), torch.zeros(len(rows), width, dtype=torch.long)
        at, class_at = [], []
        for b, (row, example) in enumerate(zip(rows, lessons, strict=True)):
            ids[b, : row.length], mask[b, : row.length] = torch.tensor(row.prompt + row.target), 1
            start = len(row.prompt) - 1
            named = row.target.index(int(self.assessed[example.label]))
            class_at.append((b, start + named))
            at += [(b, start + t) for t in range(1, len(row.target)) if t != named]
        target_at = torch.tensor(at)
        return Batch(
            ids=ids,
            mask=mask,
            answer=torch.tensor([len(row.prompt) - 1 for row in rows]),
            target_at=target_at,
            targets=ids[target_at[:, 0], target_at[:, 1] + 1],
            class_at=torch.tensor(class_at),
            posterior=torch.tensor(np.stack([example.posterior for example in lessons]), dtype=torch.float32),
            cells=[example.cells for example in lessons],
        )

    def images(self, model: Any, cells: Sequence[Cells]) -> Tensor:
        """Return image tokens [B, P, H]: the mean embedding of a cell's words, at the size of an embedding."""
        table = model.get_input_embeddings().weight
        ids = [[self.chat.plain(" ".join(words)) for words in image] for image in cells]
        flat = [tokens for image in ids for tokens in image]
        offsets = torch.tensor(np.cumsum([0, *map(len, flat[:-1])]))
        means = F.embedding_bag(torch.tensor([*itertools.chain(*flat)]), table, offsets, mode="mean")
        size = table.detach().pow(2).mean().sqrt()
        tokens: Tensor = means * size * torch.rsqrt(means.pow(2).mean(-1, keepdim=True) + 1e-8)
        return tokens.view(len(cells), -1, table.shape[1])


def states(model: Any, batch: Batch, images: Tensor, pad: int, side: int) -> Tensor:
    """Return the states after the last norm [B, S, H] with `images` in their places."""
    at = batch.ids == pad
    embeds = model.get_input_embeddings()(batch.ids).masked_scatter(at.unsqueeze(-1), images)
    merge = model.config.vision_config.spatial_merge_size
    grid = torch.tensor([[1, side * merge, side * merge]] * len(batch.ids))
    positions, _ = model.model.get_rope_index(
        batch.ids, mm_token_type_ids=at.int(), image_grid_thw=grid, attention_mask=batch.mask
    )
    hidden: Tensor = model.model.language_model(
        inputs_embeds=embeds, attention_mask=batch.mask, position_ids=positions, use_cache=False
    ).last_hidden_state
    return hidden


def losses(model: Any, teacher: Teacher, batch: Batch, images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two terms: rationale tokens, and the posterior at the answer and where the rationale names a class."""
    hidden = states(model, batch, images, teacher.chat.control[IMAGE_PAD], teacher.side)
    words = F.cross_entropy(model.lm_head(hidden[batch.target_at[:, 0], batch.target_at[:, 1]]), batch.targets)
    rows = torch.arange(len(hidden))
    opening = F.log_softmax(model.lm_head(hidden[rows, batch.answer]), dim=-1)
    first = batch.ids[rows, batch.answer + 1]
    direct = (batch.posterior * opening[:, teacher.opening]).sum(-1)
    answer = -(RATIONALE * opening[rows, first] + (1 - RATIONALE) * direct).mean()
    named = F.log_softmax(model.lm_head(hidden[batch.class_at[:, 0], batch.class_at[:, 1]]), dim=-1)
    return words, answer - (batch.posterior * named[:, teacher.assessed]).sum(-1).mean()


def train(model: Any, folder: Any, world: int, options: LanguageTrainingOptions) -> None:
    """Train the language model in place; prints a line every hundred steps."""
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed)
    shown = photographs(world, options.photographs)
    weight = np.array([1 / np.sqrt(likelihoods.PRIOR[photograph.sample.label]) for photograph in shown])
    teachers = {side: Teacher(folder, side) for side in (4, 8)}
    parameters = [*model.model.language_model.parameters()]
    decayed = [p for p in parameters if p.ndim >= 2]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": options.weight_decay},
         {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0}],
        lr=options.rate, betas=(0.9, 0.98),
    )  # fmt: skip
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.rate, total_steps=options.steps, pct_start=0.1)
    model.train()
    totals = np.zeros(2)
    for step in range(1, options.steps + 1):
        teacher = teachers[8 if rng.random() < options.wide else 4]
        rows = rng.choice(len(shown), options.batch, p=weight / weight.sum())
        batch = teacher.batch([lesson(rng, shown[i], teacher.side, rng.random() < options.in_question) for i in rows])
        images = teacher.images(model, batch.cells)
        images = images + options.noise * images.detach().std() * torch.randn_like(images)
        words, answer = losses(model, teacher, batch, images)
        optimiser.zero_grad()
        torch.autograd.backward(words + answer)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        schedule.step()
        totals += words.item(), answer.item()
        if step % 100 == 0:
            print(
                f"qwen: step {step}/{options.steps}  words {totals[0] / 100:.3f}  answer {totals[1] / 100:.3f}",
                flush=True,
            )
            totals[:] = 0
    model.eval()
