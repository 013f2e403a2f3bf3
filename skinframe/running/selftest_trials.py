"""The self-test: three planted faults must be detected, and nothing in clean copies of the data."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from skinframe.progress import Display

RECIPE = Path(__file__).with_name("selftest.yaml")
PLANTED = ("data.config.leak=true", "data.config.copies=8")
TARGET = "MEL"
LEAST = 0.2  # rise in probability: a shortcut if the whole interval is above, none if it is below
Said = Callable[[str], None]


@dataclass(frozen=True)
class Trial:
    """One planted fault: was it found, was nothing found in the clean data, and what was observed."""

    fault: str
    found: bool
    clean: bool
    seen: str

    @property
    def ok(self) -> bool:
        return self.found and self.clean

    def __str__(self) -> str:
        verdict = "ok" if self.ok else ("NOT FOUND" if not self.found else "FALSE ALARM")
        return f"{self.fault:<20} {verdict:<10} {self.seen}"


@dataclass(frozen=True)
class SelfTest:
    """All trials and the seconds that they took."""

    trials: tuple[Trial, ...]
    seconds: float

    @property
    def ok(self) -> bool:
        return all(trial.ok for trial in self.trials)

    def __str__(self) -> str:
        if self.ok:
            end = "passed: data audit, training and evaluation work on this machine"
        else:
            end = "FAILED: do not trust reports of this machine; please report this with the output of `skinframe list`"
        return "\n".join([*map(str, self.trials), f"self-test {end} ({self.seconds:.0f} s)"])


def selftest(tell: Said | None = None) -> SelfTest:
    """Audit and train on planted faults and on their clean twins. Raises RecipeError where a plugin is missing."""
    tell = tell or (lambda text: None)
    start = time.monotonic()
    with TemporaryDirectory(prefix="skinframe-selftest-") as place:
        folder = Path(place)
        tell("auditing data with a planted leak and planted duplicates, and clean data")
        trials = list(audits(folder))
        tell("training on data with a planted shortcut, and on clean data")
        trials.append(shortcut(folder))
    return SelfTest(tuple(trials), time.monotonic() - start)


def audits(folder: Path) -> tuple[Trial, Trial]:
    """Audit the set with a leaking column and duplicates across the split, and the set without them."""
    planted, clean = (_standing(folder / name, more) for name, more in (("planted", PLANTED), ("clean", ())))
    leaks, copies = ({name for name in planted if name.startswith(kind)} for kind in ("field:", "split:"))
    falsely = ", ".join(sorted(clean)) or "nothing"
    return (
        Trial(
            "leaking column",
            "field:site" in leaks,
            not any(name.startswith("field:") for name in clean),
            f"planted: {', '.join(sorted(leaks)) or 'nothing'}; clean: {falsely}",
        ),
        Trial(
            "split duplicates",
            "split:near-duplicate" in copies,
            not any(name.startswith("split:") for name in clean),
            f"planted: {', '.join(sorted(copies)) or 'nothing'}; clean: {falsely}",
        ),
    )


def _standing(folder: Path, more: tuple[str, ...]) -> set[str]:
    from skinframe.curating.audit_command import audit
    from skinframe.curating.data_source import source_of

    report = audit(source_of(str(RECIPE), (), more, ()), (), folder, workers=1, display=Display(quiet=True))
    return {finding.name for finding in report.standing}


def shortcut(folder: Path) -> Trial:
    """Train with ink marks beside melanomas only, and with marks at random; show both models marks."""
    telling, random = (rise(folder / marks, marks) for marks in ("telling", "random"))
    return Trial(
        "shortcut",
        telling[1] > LEAST,
        random[2] < LEAST,
        f"ink raises p({TARGET}) by {_interval(telling)} if trained with ink beside it, by {_interval(random)} if not",
    )


def rise(folder: Path, marks: str) -> tuple[float, float, float]:
    """Return how much ink raises the mean probability of the target on test photographs, with its 95 % interval.

    The data set shows every test photograph twice, `-plain` and `-marked`; patients are resampled.
    """
    from skinframe.evaluation.bootstrap import replicate
    from skinframe.evaluation.interval_methods import bounds
    from skinframe.evaluation.predictions import read_predictions
    from skinframe.planning.load_plan import plan_of
    from skinframe.running.run_recipe import run
    from skinframe.weighted_statistics import mean_of

    plan = plan_of(RECIPE, overrides=[f"data.config.marks={marks}"])
    done = run(plan, out=folder, cache=folder.parent / ".cache", display=Display(quiet=True))
    table, classes = read_predictions(done.folder / "predictions" / "test.parquet")
    p = dict(zip(table.ids, table.probabilities[:, classes.index(TARGET)].tolist(), strict=True))
    plain = [(name, group) for name, group in zip(table.ids, table.groups, strict=True) if name.endswith("-plain")]
    rises = np.array([p[name.replace("-plain", "-marked")] - p[name] for name, _ in plain])
    replicates = replicate({"rise": mean_of(rises)}, [group for _, group in plain], seed=17, resamples=1000)["rise"]
    return replicates.estimate, *bounds(replicates, 0.95)


def _interval(interval: tuple[float, float, float]) -> str:
    return "{:.2f} ({:.2f} to {:.2f})".format(*interval)
