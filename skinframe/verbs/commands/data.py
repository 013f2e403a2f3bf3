"""`skinframe data`: what a set is, what is wrong with it, and its frozen split."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from skinframe.verbs.commands.options import Verbs

if TYPE_CHECKING:
    from skinframe.curating.data_source import DataSource


def add(verbs: Verbs) -> None:
    data = verbs.add_parser("data", help="show, audit or split a data set")
    actions = data.add_subparsers(title="actions", required=True, metavar="ACTION", help="one of those below")

    show = actions.add_parser("show", help="show a set: classes, fields, groups, what is missing on this machine")
    _source_options(show)
    show.set_defaults(verb=_show)

    audit = actions.add_parser("audit", help="look for copies, split leaks and label leaks; exits 3 while one stands")
    _source_options(audit)
    audit.add_argument(
        "--against",
        action="append",
        default=[],
        metavar="OTHER",
        help="another set that must share nothing: a recipe file, or NAME,option=value,…",
    )
    audit.add_argument("--accept", action="append", default=[], metavar="NAME", help="let a finding of this name stand")
    audit.add_argument("--no-images", action="store_true", help="tables only; copies are not looked for")
    audit.add_argument(
        "--encoder", default="", metavar="NAME", help="also compare features of this encoder of the recipe"
    )
    audit.add_argument("--workers", type=int, default=2, help="processes that read images (default: 2)")
    audit.add_argument("--out", type=Path, default=Path("audit"), help="folder of audit.html and audit.json")
    audit.set_defaults(verb=_audit)

    split = actions.add_parser("split", help="make the split of a set and freeze it in a file for split.file")
    _source_options(split)
    split.add_argument("--no-images", action="store_true", help="do not look for near-duplicates to keep together")
    split.add_argument("--workers", type=int, default=2, help="processes that read images (default: 2)")
    split.add_argument("--out", type=Path, default=Path("split.json"), help="the file (default: split.json)")
    split.set_defaults(verb=_split)


def _source_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("source", metavar="SOURCE", help="a recipe file, or a data set's name such as ham10000")
    command.add_argument(
        "--preset", action="append", default=[], metavar="NAME", help="lay presets/NAME.yaml over the recipe, in order"
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        dest="overrides",
        help="set one path, for example data.config.root=FOLDER or split.folds=5",
    )
    command.add_argument("--plugin", action="append", default=[], metavar="FILE", help="load a one-file plugin")


def _source(options: argparse.Namespace) -> DataSource:
    from skinframe.curating.data_source import source_of

    return source_of(options.source, options.preset, options.overrides, options.plugin)


def _show(options: argparse.Namespace) -> None:
    from skinframe.curating.data_text import shown

    print(shown(_source(options)))


def _audit(options: argparse.Namespace) -> None:
    source = _source(options)
    from skinframe.curating.audit_verbs import audit, refuse_leaks
    from skinframe.curating.data_source import other_source
    from skinframe.curating.data_text import audit_text

    against = [other_source(text, options.plugin) for text in options.against]
    found = audit(
        source,
        against,
        options.out,
        accept=options.accept,
        images=not options.no_images,
        encoder=options.encoder,
        workers=options.workers,
    )
    print(audit_text(found, options.out))
    refuse_leaks(found)


def _split(options: argparse.Namespace) -> None:
    source = _source(options)
    from skinframe.curating.audit_verbs import freeze
    from skinframe.curating.data_text import split_text

    split, samples = freeze(source, options.out, images=not options.no_images, workers=options.workers)
    print(split_text(split, samples, source.dataset, options.out))
