"""The audit command: reads the data sets, runs the audit, writes its page and its JSON file."""

from __future__ import annotations

import base64
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from skinframe.atomic_write import write_atomic
from skinframe.components import Encoder
from skinframe.curating.audit_result import Audit
from skinframe.curating.audit_steps import Division, audit_of
from skinframe.curating.audited_dataset import AuditedDataset
from skinframe.curating.data_source import DataSource
from skinframe.curating.duplicate_search import within
from skinframe.curating.image_scan import Scan, scan
from skinframe.data.group_split import Split
from skinframe.data.groups import KINDS, NearPairs, leak_name
from skinframe.data.image_table import refuse_unusable
from skinframe.data.split_file import write_split
from skinframe.errors import DataError, Problem, RecipeError, did_you_mean
from skinframe.preparing.run_split import MOST, provenance, split_of
from skinframe.progress import Display
from skinframe.reporting.json_codec import dumps
from skinframe.sample import Sample


def write_audit(audit: Audit, folder: Path) -> None:
    """Write both files, each whole or not at all; the JSON holds no pictures. Raises DiskError."""
    plain = replace(audit, pairs=tuple(replace(pair, left=b"", right=b"") for pair in audit.pairs))
    write_atomic(folder / "audit.json", dumps(plain).encode("utf-8", "replace"))
    write_atomic(folder / "audit.html", render(audit).encode("utf-8", "replace"))


def render(audit: Audit) -> str:
    """Return one self-contained page without script; every value is escaped, pictures are made of pixels here."""
    from jinja2 import ChoiceLoader, PackageLoader

    from skinframe.reporting.page import environment

    env = environment()
    env.loader = ChoiceLoader([PackageLoader("skinframe.curating"), PackageLoader("skinframe.reporting")])
    return env.get_template("audit.html.j2").render(audit=audit, uri=_uri)


def _uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")


EVERY_KIND = tuple(map(leak_name, KINDS))


def audit(
    source: DataSource,
    against: Sequence[DataSource],
    folder: Path,
    *,
    accept: Collection[str] = (),
    images: bool = True,
    encoder: str = "",
    cache: Path | None = None,
    workers: int = 2,
    display: Display | None = None,
) -> Audit:
    """Audit a set, write audit.json and audit.html, and return what was found. Raises DataError, RecipeError."""
    display = display or Display()
    subject = subject_of(source, display, images, workers, encoder, cache or folder / ".cache")
    others = [subject_of(other, display, images, workers, encoder, cache or folder / ".cache") for other in against]
    with display.task("audit"):
        result = audit_of(
            subject,
            divide=lambda near: division(source, subject, near),
            against=others,
            accept={*source.accept, *accept},
        )
        write_audit(result, folder)
    return result


def refuse_leaks(audited: Audit) -> None:
    """Raise DataError that names every leak that stands, and how one is accepted."""
    if audited.standing:
        lines = [f"  {finding.name}: {finding.sentence}" for finding in audited.standing]
        count = f"{len(lines)} leak stands" if len(lines) == 1 else f"{len(lines)} leaks stand"
        raise DataError(
            "\n".join([f"{audited.name}: {count}; fix the data, or accept a finding with --accept NAME", *lines])
        )


def subject_of(
    source: DataSource, display: Display, images: bool, workers: int, encoder: str = "", cache: Path = Path()
) -> AuditedDataset:
    """Read the samples of a set and, where asked, look at every image once."""
    samples = source.samples()
    looked: Scan | None = None
    if images and len(samples) > MOST:
        display.say(f"{source.name}: {len(samples):,} images are more than {MOST:,}; copies are not looked for")
    elif images:
        with display.task(f"images of {source.name}") as task:
            looked = scan(
                source.dataset,
                samples,
                workers=workers,
                progress=lambda done: task.update(done, len(samples)),
                max_pixels=source.images.max_pixels,
                max_bytes=source.images.max_bytes,
            )
        refuse_unusable(looked.unusable, samples, "quarantine", 1.0)  # an audit lists those that cannot be read
    features = None
    if encoder and looked is not None:
        features = _features(source, _encoder(source, encoder), samples, looked, cache, display)
    return AuditedDataset(
        name=source.name,
        dataset=source.dataset,
        samples=samples,
        facts=[source.dataset.context(sample) for sample in samples],
        question=source.question(),
        forbidden=source.forbidden(),
        scan=looked,
        features=features,
    )


def division(source: DataSource, subject: AuditedDataset, near: NearPairs) -> Division:
    """Return the split that a run of this source would use: its frozen file, its official one, or one made as there.

    Every leak is let through: the audit reports it, and is what refuses. Raises DataError for a file that does not fit.
    """
    official = source.split.official and any(sample.split is not None for sample in subject.samples)
    given = source.split.file is not None or official
    if given:  # a class that a part lacks is in the table of parts, and no reason to audit nothing
        source = replace(source, split=replace(source.split, waive=list(subject.classes)))
    try:
        split, _ = _split(source, subject, near, EVERY_KIND)
    except DataError as error:
        if given:
            raise
        return Division(None, f"no split could be made, and a run would refuse the same: {error}")
    if source.split.file is not None:
        return Division(split, f"{split.digest[:12]}, read from {source.split.file}")
    made = "the set's official one" if official else f"made with seed {source.seed}, as a run would"
    unseen = source.split.near_duplicates and subject.scan is None and not official
    blind = "; a run also keeps near-duplicates together, which were not looked for here" if unseen else ""
    return Division(split, f"{split.digest[:12]}, {made}{blind}")


def _split(
    source: DataSource, subject: AuditedDataset, near: NearPairs, accept: Collection[str]
) -> tuple[Split, NearPairs]:
    """Return the split of the source and the near-duplicates of it; images of the same pixels are such copies too."""
    wanted, looked = source.split, subject.scan
    keys = None if looked is None else looked.keys if wanted.near_duplicates else looked.files
    together = near if wanted.near_duplicates else ()
    return split_of(wanted, source.seed, accept, subject.classes, subject.samples, keys, together)


def freeze(
    source: DataSource, path: Path, *, images: bool = True, workers: int = 2, display: Display | None = None
) -> tuple[Split, Sequence[Sample]]:
    """Make the split of a set and write it to a file that runs can name. Raises DataError."""
    display = display or Display()
    wanted = source.split.near_duplicates and images
    subject = subject_of(source, display, wanted, workers)
    looked = subject.scan
    if looked is not None:  # the rule of `run`, which then takes the very samples that the file holds
        refuse_unusable(looked.unusable, subject.samples, source.images.policy, source.images.max_fraction)
        subject = _readable(subject, looked)
        looked = subject.scan
    split, near = _split(source, subject, within(subject).near if looked is not None else (), source.accept)
    made = provenance(source.dataset, source.split, source.seed, looked is not None)
    write_split(path, split, subject.samples, looked.files if looked is not None else None, near, made)
    return split, subject.samples


def _readable(subject: AuditedDataset, looked: Scan) -> AuditedDataset:
    """Return the subject without the images that cannot be used."""
    rows = looked.rows()
    return replace(
        subject,
        samples=[subject.samples[row] for row in rows],
        facts=[subject.facts[row] for row in rows],
        scan=Scan([looked.looks[row] for row in rows]),
    )


def _encoder(source: DataSource, name: str) -> Encoder:
    if name not in source.encoders:
        what = f"the recipe has no encoder of this name{did_you_mean(name, source.encoders)}"
        raise RecipeError(source.name, [Problem(f"--encoder {name}", what)])
    return source.encoders[name]


def _features(
    source: DataSource, encoder: Encoder, samples: Sequence[Sample], looked: Scan, cache: Path, display: Display
) -> NDArray[np.float32]:
    """Return one feature an image [N, D], tokens averaged; zero where an image cannot be read."""
    from skinframe.data.images import decode
    from skinframe.features.feature_extraction import extract_images

    rows = looked.rows()
    keys = [look.key for look in looked.looks if look is not None]
    signal = next(name for name in encoder.provides() if name != "text_embedding")
    with display.task(f"features of {source.name}") as task:
        table = extract_images(
            encoder,
            keys,
            lambda place: decode(source.dataset.image_bytes(samples[rows[place]])),
            root=cache,
            progress=task.update,
        )
    features: NDArray[np.float32] | None = None
    for start in range(0, len(rows), 256):
        places = range(start, min(start + 256, len(rows)))
        values = table.get(list(places), [0] * len(places), [signal])[signal].float().numpy()
        pooled = values.mean(1) if values.ndim == 3 else values
        if features is None:
            features = np.zeros((len(samples), pooled.shape[1]), dtype=np.float32)
        features[[rows[place] for place in places]] = pooled
    return features if features is not None else np.zeros((len(samples), 1), dtype=np.float32)
