"""Which image belongs to which description, and what a contrastive term says of its last batch."""

from __future__ import annotations

import logging
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from skinframe.lazy import F, torch
from skinframe_cfa.alignment.multi_positive_contrastive import positive_floor
from skinframe_cfa.loss_reduction import upcast

if TYPE_CHECKING:
    from torch import Tensor


Positives = Literal["text", "class", "class_and_site"]
POSITIVES: tuple[Positives, ...] = ("text", "class", "class_and_site")
Image = Literal["regions", "queries"]
LARGEST_SCALE = 100.0  # where the projection clamps exp(t)

log = logging.getLogger("skinframe")


def described(text_ids: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
    """Return each tensor [B, ...] in float32 at least, without the samples that have no description (a negative id).

    What is left out gets a gradient of exactly zero, even where it is NaN. Integers keep their type.
    """
    valid = text_ids >= 0
    return tuple((upcast(each) if each.is_floating_point() else each)[valid] for each in tensors)


def same(ids: Tensor) -> Tensor:
    """Return the bool matrix [B, B] of pairs with one id; a negative id is unknown and the same as none."""
    return (ids.unsqueeze(0) == ids.unsqueeze(1)) & (ids >= 0)


def positive_pairs(
    text_ids: Tensor, kind: Positives, labels: Tensor | None = None, site_ids: Tensor | None = None
) -> Tensor:
    """Return the bool matrix [B, B] of positive pairs: same description always, and by `kind` more.

    - text: nothing more
    - class: same class (labels)
    - class_and_site: same class on the same body site (labels and site_ids)

    text_ids, labels, site_ids [B]; a negative id is unknown. Raises ValueError where `kind` needs absent ids.
    """
    pairs = same(text_ids)
    if kind == "text":
        return pairs
    if labels is None or (kind == "class_and_site" and site_ids is None):
        missing = "labels" if labels is None else "site_ids"
        raise ValueError(f"positives: '{kind}' needs the signal {missing}; provide it, or use text")
    more = same(labels)
    return pairs | (more if site_ids is None or kind == "class" else more & same(site_ids))


def described_pairs(
    text_ids: Tensor, kind: Positives, labels: Tensor | None = None, site_ids: Tensor | None = None
) -> Tensor:
    """Return `positive_pairs` among the samples that have a description [n, n]."""
    valid = text_ids >= 0
    return positive_pairs(text_ids, kind, labels, site_ids)[valid][:, valid]


def check_positives(kind: str) -> None:
    """Raise ValueError where a config names an unknown set of positives."""
    if kind not in POSITIVES:
        raise ValueError(f"positives must be one of {', '.join(POSITIVES)}, got {kind!r}")


def check_image(image: str) -> None:
    """Raise ValueError where a config names an unknown image side."""
    if image not in ("regions", "queries"):
        raise ValueError(f"image must be regions or queries, got {image!r}")


def check_chunk(chunk: int) -> None:
    """Raise ValueError where a config asks for chunks of a negative size."""
    if chunk < 0:
        raise ValueError(f"chunk must be >= 0 rows (0: all at once), got {chunk}")


def whole_image(regions: Tensor, queries: Tensor, image: Image) -> Tensor:
    """Return one vector an image [B, W]: the normalised mean of its regions [B, P, W], or its query [B, W]."""
    return F.normalize(regions.mean(dim=1), dim=-1, eps=1e-6) if image == "regions" else queries


class LastBatch:
    """What a contrastive term remembers of its last batch, for the log: its positives and its scale."""

    def __init__(self) -> None:
        self._positives: Tensor | None = None
        self._scale: Tensor | None = None
        self._warned = False

    def see(self, positives: Tensor, scale: Tensor) -> None:
        """Take in a batch: positives [n, n], scale []."""
        self._positives, self._scale = positives, scale.detach()

    def floor(self) -> float | None:
        """Return the least value possible with the last batch's positives, mean log |P_i|; None before one."""
        return None if self._positives is None else float(positive_floor(self._positives))

    def notes(self) -> dict[str, float]:
        """Return the scale and whether it stood at its clamp (1) or below (0); empty before a batch.

        Warns once of a batch without a negative pair: the term is constant there.
        """
        if self._positives is None or self._scale is None:
            return {}
        if len(self._positives) and bool(self._positives.all()) and not self._warned:
            self._warned = True
            log.warning(
                "a contrastive term saw %d samples and no negative pair, so it teaches nothing there; raise batch_size",
                len(self._positives),
            )
        return {"scale": float(self._scale), "scale_clamped": float(self._scale >= LARGEST_SCALE)}


class Noted:
    """A term that notes its last batch in the log; stands before `skinframe.Loss` in the list of bases."""

    @cached_property
    def last(self) -> LastBatch:
        return LastBatch()

    def notes(self) -> dict[str, float]:
        """Return the last batch's scale and whether it stood at its clamp."""
        return self.last.notes()


class Floored(Noted):
    """A multi-positive term, whose least value depends on the batch."""

    def floor(self) -> float | None:
        """Return the least value possible with the last batch's positives, mean log |P_i|; None before one."""
        return self.last.floor()


def described_tokens(text_ids: Tensor, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Return the tokens [n, S, W] of samples that have a description, zero where they pad, and the bool mask [n, S].

    Whatever stands in the padding gets a gradient of exactly zero, even NaN. Raises ValueError where a described sample
    has no real token.
    """
    t, real = described(text_ids, tokens, mask > 0)
    empty = (~real.any(dim=1)).nonzero().flatten().tolist()
    if empty:
        rows = (text_ids >= 0).nonzero().flatten()[empty].tolist()
        shown = ", ".join(map(str, rows))
        raise ValueError(f"text_token_mask: the description of sample {shown} of the batch has no token")
    return torch.where(real.unsqueeze(2), t, t.new_zeros(())), real
