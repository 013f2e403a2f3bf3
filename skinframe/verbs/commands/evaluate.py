"""`skinframe evaluate`: judge a finished run, a run on other data, or the predictions of any other system."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from skinframe.verbs.commands.options import CACHE, Verbs


def add(verbs: Verbs) -> None:
    verb = verbs.add_parser("evaluate", help="judge a run, a run on other data, or a table of any system's predictions")
    verb.add_argument("target", type=Path, metavar="TARGET", help="a run folder, or a CSV or Parquet table")
    verb.add_argument("--out", type=Path, help="where the report goes (default: evaluations/NAME)")
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        dest="overrides",
        help="for a run: other data, such as data.use=table",
    )
    verb.add_argument("--cache", type=Path, help=f"feature cache for other data (default: OUT/.cache, or ${CACHE})")
    verb.add_argument("--plugin", action="append", default=[], metavar="FILE", help="one-file plugin to load")
    verb.add_argument(
        "--requires", action="append", default=[], metavar="PLUGIN", help="plugin to load for its metrics, such as derm"
    )
    _table(verb)
    _judging(verb)
    verb.set_defaults(verb=_evaluate)


def _table(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--id", default="id", metavar="COLUMN", help="column of sample ids (default: id)")
    verb.add_argument(
        "--group", default="group", metavar="COLUMN", help="column of patients (default: group); none: each row another"
    )
    verb.add_argument("--label", default="label", metavar="COLUMN", help="column of true classes (default: label)")
    verb.add_argument(
        "--lesion", metavar="COLUMN", help="column of lesions: images of one share its diagnosis (default: not known)"
    )
    verb.add_argument(
        "--class",
        action="append",
        default=[],
        type=_pair,
        metavar="NAME=COLUMN",
        dest="classes",
        help="column of a class's probabilities; one alone is a score of yes or no (default: columns probability:NAME)",
    )
    verb.add_argument("--rest", default="rest", metavar="NAME", help="what is not the single class (default: rest)")
    verb.add_argument("--logits", action="store_true", help="the columns hold logits, not probabilities")
    verb.add_argument(
        "--number",
        action="append",
        default=[],
        metavar="COLUMN",
        help="column that a metric reads, such as score_weight",
    )
    verb.add_argument(
        "--fit-on", type=Path, metavar="FILE", help="table of other patients that calibrates and sets thresholds"
    )


def _judging(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--metric", action="append", default=[], metavar="NAME", help="a further metric, by name")
    verb.add_argument(
        "--positive",
        action="append",
        default=[],
        metavar="CLASS",
        help="class to look for, against the rest",
    )
    verb.add_argument("--prevalence", type=float, metavar="SHARE", help="share of positives where it will be used")
    verb.add_argument(
        "--thresholds",
        type=float,
        nargs=2,
        default=(0.02, 0.2),
        metavar=("LOW", "HIGH"),
        help="range of probabilities at which somebody would act (default: 0.02 0.2)",
    )
    verb.add_argument(
        "--subgroup", action="append", default=[], metavar="FIELD", help="recorded field to compare by, such as sex"
    )
    verb.add_argument(
        "--tier",
        type=_tier,
        metavar="FIELD=NAME",
        help="recorded field of tiers, and the tier of the training data's own distribution, such as tier=T1",
    )
    verb.add_argument("--resamples", type=int, default=1000, help="bootstrap resamples (default: 1000)")
    verb.add_argument("--level", type=float, default=0.95, help="share that an interval covers (default: 0.95)")
    verb.add_argument("--seed", type=int, help="seed of the resamples (default: the run's own; 0 for a table)")


def _pair(text: str) -> tuple[str, str]:
    name, sign, column = text.partition("=")
    if not (name and sign and column):
        raise argparse.ArgumentTypeError(f"expected NAME=COLUMN, for example melanoma=p_mel, got {text!r}")
    return name, column


def _tier(text: str) -> tuple[str, str]:
    name, sign, reference = text.partition("=")
    if not (name and sign and reference):
        raise argparse.ArgumentTypeError(f"expected FIELD=NAME, for example tier=T1, got {text!r}")
    return name, reference


def _evaluate(options: argparse.Namespace) -> None:
    from skinframe.evaluation.external_predictions import TableColumns
    from skinframe.judging.evaluate_predictions import evaluate
    from skinframe.judging.evaluation_options import EvaluationOptions

    columns = TableColumns(
        id=options.id,
        group="" if options.group == "none" else options.group,
        label=options.label,
        lesion=options.lesion or "",
        classes=dict(options.classes),
        rest=options.rest,
        logits=options.logits,
        numbers=tuple(options.number),
    )
    asked = EvaluationOptions(
        metrics=tuple(options.metric),
        positive=tuple(options.positive),
        prevalence=options.prevalence,
        thresholds=tuple(options.thresholds),
        subgroups=tuple(options.subgroup),
        tier=options.tier,
        resamples=options.resamples,
        level=options.level,
        seed=options.seed,
        columns=columns,
        fit_on=options.fit_on,
        requires=tuple(options.requires),
    )
    cache = options.cache or os.environ.get(CACHE)
    print(
        evaluate(
            options.target,
            asked,
            out=options.out,
            overrides=options.overrides,
            plugins=[Path(file) for file in options.plugin],
            cache=Path(cache) if cache else None,
        )
    )
