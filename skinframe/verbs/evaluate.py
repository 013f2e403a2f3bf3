"""`skinframe evaluate`: judge a finished run, a run on other data, or the predictions of any other system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from skinframe.verbs.command_from_signature import Command, Option, words_about
from skinframe.verbs.shared_options import Metrics, Plugins, Quiet, cache_folder

if TYPE_CHECKING:
    from skinframe.reporting.run_result import RunResult


def evaluate(
    target: Annotated[str | Path, Option("run folder, or a CSV or Parquet table", metavar="TARGET")],
    *,
    out: Annotated[
        str | Path | None, Option("folder of the report (default: evaluations/NAME)", metavar="FOLDER")
    ] = None,
    overrides: Annotated[
        Sequence[str], Option("for a run: other data, such as data.use=table; repeatable", "--set", "PATH=VALUE")
    ] = (),
    cache: Annotated[
        str | Path | None,
        Option("feature cache for other data (default: $SKINFRAME_CACHE if set, else OUT/.cache)", metavar="FOLDER"),
    ] = None,
    plugins: Plugins = (),
    requires: Annotated[
        Sequence[str], Option("plugin to load for its metrics, such as derm; repeatable", metavar="PLUGIN")
    ] = (),
    id: Annotated[str, Option("column of sample ids", metavar="COLUMN")] = "id",
    group: Annotated[
        str | None,
        Option(
            'patient column (default: group); "none" treats each row as its own patient',
            metavar="COLUMN",
            parse=lambda text: None if text == "none" else text,
        ),
    ] = "group",
    label: Annotated[str, Option("column of true classes", metavar="COLUMN")] = "label",
    lesion: Annotated[
        str | None,
        Option("lesion column: images of one lesion share its diagnosis (default: unknown)", metavar="COLUMN"),
    ] = None,
    classes: Annotated[
        Mapping[str, str] | None,
        Option(
            "column of a class's probabilities; a single one is a binary score; repeatable"
            " (default: columns probability:NAME)",
            "--class",
            "NAME=COLUMN",
            words_about("NAME=COLUMN", "melanoma=p_mel"),
        ),
    ] = None,
    rest: Annotated[str, Option("name of the other class of a binary score", metavar="NAME")] = "rest",
    logits: Annotated[bool, Option("the columns hold logits, not probabilities")] = False,
    numbers: Annotated[
        Sequence[str],
        Option("numeric column that a metric reads, such as score_weight; repeatable", "--number", "COLUMN"),
    ] = (),
    fit_on: Annotated[
        str | Path | None,
        Option("table of other patients, to fit calibrators and choose thresholds", metavar="FILE"),
    ] = None,
    metrics: Metrics = (),
    positive: Annotated[Sequence[str], Option("positive class, against the rest; repeatable", metavar="CLASS")] = (),
    prevalence: Annotated[
        float | None, Option("prevalence of the positive class where the model will be used", metavar="SHARE")
    ] = None,
    thresholds: Annotated[
        tuple[float, float], Option("range of threshold probabilities of the decision curve", metavar=("LOW", "HIGH"))
    ] = (0.02, 0.2),
    subgroups: Annotated[
        Sequence[str], Option("metadata field to compare subgroups by, such as sex; repeatable", "--subgroup", "FIELD")
    ] = (),
    tier: Annotated[
        tuple[str, str] | None,
        Option(
            "field of tiers, and the tier that the others are compared with, such as tier=T1",
            metavar="FIELD=NAME",
            parse=words_about("FIELD=NAME", "tier=T1"),
        ),
    ] = None,
    resamples: Annotated[int, Option("bootstrap resamples")] = 1000,
    level: Annotated[float, Option("confidence level of the intervals")] = 0.95,
    seed: Annotated[int | None, Option("seed of the resamples (default: the run's; 0 for a table)")] = None,
    quiet: Quiet = False,
) -> RunResult:
    """Judge a finished run, a run on other data, or a table of any other system's predictions.

    `group=None` treats each row as its own patient. Raises DataError where a table or data set is not usable,
    RecipeError where the options do not fit it.
    """
    from skinframe.evaluation.external_predictions import TableColumns
    from skinframe.judging.evaluate_predictions import evaluate as judge
    from skinframe.judging.evaluation_options import EvaluationOptions
    from skinframe.progress import Display

    columns = TableColumns(
        id=id,
        group=group or "",
        label=label,
        lesion=lesion or "",
        classes={str(name): str(column) for name, column in (classes or {}).items()},
        rest=rest,
        logits=logits,
        numbers=tuple(numbers),
    )
    low, high = thresholds
    options = EvaluationOptions(
        metrics=tuple(metrics),
        positive=tuple(positive),
        prevalence=prevalence,
        thresholds=(low, high),
        subgroups=tuple(subgroups),
        tier=tier,
        resamples=resamples,
        level=level,
        seed=seed,
        columns=columns,
        fit_on=None if fit_on is None else Path(fit_on),
        requires=tuple(requires),
    )
    return judge(
        Path(target),
        options,
        out=None if out is None else Path(out),
        overrides=overrides,
        plugins=[Path(file) for file in plugins],
        cache=cache_folder(cache),
        display=Display(quiet),
    )


COMMAND = Command("evaluate", evaluate, "judge a run, a run on other data, or a table of any system's predictions")
