"""`skinframe predict`: new images."""

from __future__ import annotations

import argparse
from pathlib import Path

from skinframe.verbs.commands.options import Verbs


def add(verbs: Verbs) -> None:
    predict = verbs.add_parser("predict", help="probabilities, rationale and heat map for new images")
    predict.add_argument("run", type=Path, metavar="RUN", help="a run folder")
    predict.add_argument("images", type=Path, nargs="+", metavar="IMAGE", help="JPEG, PNG or DICOM files")
    predict.add_argument(
        "--meta", action="append", default=[], type=_pair, metavar="FIELD=VALUE", help="e.g. age=60, sex=female"
    )
    predict.add_argument("--out", type=Path, help="folder for heat maps and predictions.json")
    predict.add_argument("--plugin", action="append", default=[], metavar="FILE", help="one-file plugin of the run")
    predict.add_argument(
        "--allow-burned-in", action="store_true", help="take DICOM files that do not say that no text is in the pixels"
    )
    predict.set_defaults(verb=_predict)


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not (name and sign and value):
        raise argparse.ArgumentTypeError(f"expected FIELD=VALUE, for example age=60, got {text!r}")
    return name, value


def _predict(options: argparse.Namespace) -> None:
    from skinframe.predicting.predict_images import predict

    plugins = [Path(file) for file in options.plugin]
    found = predict(
        options.run, options.images, dict(options.meta), options.out, plugins, allow_burned_in=options.allow_burned_in
    )
    print(found)
