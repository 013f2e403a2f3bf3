"""The command line's verbs as Python functions. Each imports what it needs when it is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skinframe.audit.finding import Audit
    from skinframe.contracts import Verdict
    from skinframe.data.split import Split
    from skinframe.engine.predict import Predictions
    from skinframe.engine.reproduce import Reproduced
    from skinframe.engine.result import RunResult
    from skinframe.engine.verify import Verified
    from skinframe.planning import Plan
    from skinframe.reporting.compare import Comparison

Paths = Sequence[str | Path]


def run(
    recipe: str | Path,
    *,
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    without: Sequence[str] = (),
    plugins: Paths = (),
    out: str | Path = "runs",
    cache: str | Path | None = None,
    resume: bool = False,
    allow_change: Sequence[str] = (),
    quiet: bool = False,
) -> RunResult:
    """Run a recipe to its report and return the result, which shows itself in a notebook.

    The arguments are those of `skinframe run`. Raises the errors of `skinframe.errors`.
    """
    from skinframe.engine.start import plan_of, refuse_missing

    made = plan_of(recipe, presets, overrides, without, plugins)
    refuse_missing(made)
    from skinframe.engine.display import Display
    from skinframe.engine.run import run as walk

    folder = Path(out)
    return walk(
        made,
        out=folder,
        cache=Path(cache or folder / ".cache"),
        resume=resume,
        allow=allow_change,
        display=Display(quiet),
    )


def plan(
    recipe: str | Path,
    *,
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    without: Sequence[str] = (),
    plugins: Paths = (),
) -> Plan:
    """Return the plan of a recipe; loads no weights. Raises RecipeError with every problem at once."""
    from skinframe.engine.start import plan_of

    return plan_of(recipe, presets, overrides, without, plugins)


def show(component: str, *, plugins: Paths = ()) -> str:
    """Return a component's options, docs and origin as text. Raises RecipeError where there is none of that name."""
    from skinframe.inventory import describe

    return describe(component, [Path(file) for file in plugins])


def new(kind: str, name: str, *, into: str | Path = ".") -> Path:
    """Write an installable plugin project for a new component and return its folder.

    Raises RecipeError where the kind is unknown, the name cannot be one or is taken, or the folder exists.
    """
    from skinframe.scaffold import write

    return write(kind, name, Path(into))


def check(plugin: str | Path, name: str | None = None) -> Verdict:
    """Hold a plugin (installed, or a Python file) to the contracts of its kinds; `name` picks one component.

    Needs pytest and hypothesis. Raises RecipeError where there is no such plugin or component.
    """
    from skinframe.checking import verdict

    return verdict(str(plugin), name)


def report(run: str | Path) -> RunResult:
    """Write a finished run's page again from report.json, and return the result. Raises DataError."""
    from skinframe.engine.after import rewrite_report

    return rewrite_report(Path(run))


def audit_data(
    source: str | Path,
    *,
    against: Sequence[str] = (),
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    accept: Sequence[str] = (),
    images: bool = True,
    encoder: str = "",
    workers: int = 2,
    plugins: Paths = (),
    out: str | Path = "audit",
    quiet: bool = False,
) -> Audit:
    """Audit a data set, write audit.html and audit.json under `out`, and return what was found; refuses nothing.

    The arguments are those of `skinframe data audit`; `standing` of the result are the leaks that stand.
    Raises DataError, RecipeError.
    """
    from skinframe.engine.auditing import audit
    from skinframe.engine.display import Display
    from skinframe.engine.source import other_source, source_of

    return audit(
        source_of(str(source), presets, overrides, plugins),
        [other_source(other, plugins) for other in against],
        Path(out),
        accept=accept,
        images=images,
        encoder=encoder,
        workers=workers,
        display=Display(quiet),
    )


def split_data(
    source: str | Path,
    out: str | Path = "split.json",
    *,
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    images: bool = True,
    workers: int = 2,
    plugins: Paths = (),
    quiet: bool = False,
) -> Split:
    """Make the split of a data set, freeze it in `out` for `split.file`, and return it. Raises DataError."""
    from skinframe.engine.auditing import freeze
    from skinframe.engine.display import Display
    from skinframe.engine.source import source_of

    made = source_of(str(source), presets, overrides, plugins)
    return freeze(made, Path(out), images=images, workers=workers, display=Display(quiet))[0]


def compare(*runs: str | Path) -> Comparison:
    """Compare finished runs on the same test samples. Raises DataError where the samples differ."""
    from skinframe.engine.after import compare_runs

    return compare_runs([Path(run) for run in runs])


def predict(
    run: str | Path,
    images: Paths,
    *,
    metadata: Mapping[str, str] | None = None,
    out: str | Path | None = None,
    plugins: Paths = (),
    allow_burned_in: bool = False,
) -> Predictions:
    """Return probabilities, rationale and heat map for new images, JPEG, PNG or DICOM.

    `allow_burned_in` takes DICOM files that do not say that no text is in their pixels. Raises DataError, RecipeError.
    """
    from skinframe.engine.predict import predict as forward

    folder = Path(out) if out is not None else None
    files = [Path(file) for file in plugins]
    return forward(Path(run), [Path(image) for image in images], metadata, folder, files, allow_burned_in)


def verify(place: str | Path) -> Verified:
    """Check every hash of a run, checkpoint or feature cache. Raises NotWholeError naming what is damaged."""
    from skinframe.engine.verify import verify as read_back

    return read_back(Path(place))


def reproduce(
    run: str | Path,
    *,
    out: str | Path | None = None,
    cache: str | Path | None = None,
    plugins: Paths = (),
    quiet: bool = False,
) -> Reproduced:
    """Make a finished run again and compare every file. Raises NotWholeError where one differs, RecipeError."""
    from skinframe.engine.display import Display
    from skinframe.engine.reproduce import reproduce as again

    folder, kept = (Path(place) if place is not None else None for place in (out, cache))
    return again(Path(run), folder, kept, [Path(file) for file in plugins], Display(quiet))


def evaluate(
    target: str | Path,
    *,
    out: str | Path | None = None,
    overrides: Sequence[str] = (),
    cache: str | Path | None = None,
    plugins: Paths = (),
    requires: Sequence[str] = (),
    id: str = "id",
    group: str | None = "group",
    label: str = "label",
    classes: Mapping[str, str] | None = None,
    rest: str = "rest",
    logits: bool = False,
    numbers: Sequence[str] = (),
    fit_on: str | Path | None = None,
    metrics: Sequence[str] = (),
    positive: Sequence[str] = (),
    prevalence: float | None = None,
    thresholds: tuple[float, float] = (0.02, 0.2),
    subgroups: Sequence[str] = (),
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    quiet: bool = False,
) -> RunResult:
    """Judge a finished run, a run on other data, or a table of any other system's predictions.

    The arguments are those of `skinframe evaluate`; `group=None` says that each row is another patient. Raises
    DataError where a table or data set is not usable as it stands, RecipeError where the request does not hold.
    """
    from skinframe.engine.asked import Options
    from skinframe.engine.display import Display
    from skinframe.engine.evaluate import evaluate as judge
    from skinframe.evaluation.outside import Columns

    columns = Columns(
        id=id, group=group or "", label=label, classes=classes or {}, rest=rest, logits=logits, numbers=tuple(numbers)
    )
    options = Options(
        metrics=tuple(metrics),
        positive=tuple(positive),
        prevalence=prevalence,
        thresholds=thresholds,
        subgroups=tuple(subgroups),
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
        cache=None if cache is None else Path(cache),
        display=Display(quiet),
    )
