"""Prepares a run: checked samples, a frozen split, cached features."""

from __future__ import annotations

from pathlib import Path

from skinframe.components import Encoder
from skinframe.data.group_split import from_parts
from skinframe.data.images import pixel_key
from skinframe.data.manifest import check_samples
from skinframe.features.feature_extraction import extract_images, extract_texts
from skinframe.features.image_sources import LiveFeatures
from skinframe.planning import Plan
from skinframe.planning.address import Address
from skinframe.preparing.image_cache import ImageTableCache
from skinframe.preparing.known_images import write_known_images
from skinframe.preparing.prepared_data import Prepared, descriptions
from skinframe.preparing.remote_features import ShardEngine, remote_extraction
from skinframe.preparing.run_split import Divided, divide
from skinframe.progress import Display


def prepare(
    plan: Plan,
    folder: Path,
    cache: Path,
    device: str,
    display: Display,
    *,
    all_test: bool = False,
    image_tables: ImageTableCache | None = None,
    spread: ShardEngine | None = None,
) -> Prepared:
    """Check, hash, split and extract; `all_test` splits nothing off, for an external test.

    `image_tables` keeps the images for the next run with the same data. `spread` computes missing features in other
    processes; they are the same to the bit on one device. Raises DataError, DiskError or RecipeError before anything
    is trained.
    """
    dataset = plan.parts.dataset
    samples = list(dataset.samples())
    check_samples(samples, dataset.fields, dataset.classes, dataset.attributes)
    table = (image_tables or ImageTableCache()).images(plan, samples, display)
    places = [place for place, key in enumerate(table.keys) if key is not None]
    kept = [samples[place] for place in places]
    keys = [key for key in table.keys if key is not None]
    if all_test:
        divided = Divided(split=from_parts(kept, ["test"] * len(kept)), near=(), searched=False)
    else:
        unusable = [sample for sample, key in zip(samples, table.keys, strict=True) if key is None]
        divided = divide(plan, kept, keys, lambda row: table.image(places[row]), folder, cache, display, unusable)
        write_known_images(folder, divided.split, keys)
    prepared = Prepared(
        plan=plan,
        images=table,
        places=places,
        samples=kept,
        keys=keys,
        split=divided.split,
        near=divided.near,
        searched=divided.searched,
        quarantined=table.quarantined,
        device=device,
    )
    for name, encoder in plan.encoders.items():
        _extract(prepared, name, encoder, cache, display, spread)
    return prepared


def _extract(
    prepared: Prepared, name: str, encoder: Encoder, cache: Path, display: Display, spread: ShardEngine | None
) -> None:
    plan = prepared.plan
    signals, texts = encoder.provides(), encoder.text_signals()
    with display.task(f"features of {name}") as task:
        if encoder.mode == "live":
            prepared.live[name] = LiveFeatures(lambda: prepared.tower(name, encoder), prepared.image)
        elif encoder.mode == "cached" and any(signal not in texts for signal in signals):
            prepared.features[name] = extract_images(
                encoder,
                [pixel_key(key, plan.recipe.images.draft) for key in prepared.keys],
                prepared.image,
                root=cache,
                views=plan.recipe.views,
                device=prepared.device,
                progress=task.update,
                load_tower=lambda: prepared.tower(name, encoder),
                remote=None if spread is None else remote_extraction(prepared, name, cache, spread),
            )
        for signal in texts:
            _extract_texts(prepared, Address(name, signal), encoder, cache)


def _extract_texts(prepared: Prepared, address: Address, encoder: Encoder, cache: Path) -> None:
    plan = prepared.plan
    classes = plan.parts.dataset.classes
    class_texts = plan.parts.prompt.class_descriptions(classes)
    texts = [*descriptions(prepared), *class_texts]
    table = extract_texts(
        encoder, texts, root=cache, device=prepared.device, load_tower=lambda: prepared.tower(address.instance, encoder)
    )
    prepared.texts[address] = table[: len(prepared.samples)]
    prepared.class_texts[address.instance] = table[len(prepared.samples) :]
