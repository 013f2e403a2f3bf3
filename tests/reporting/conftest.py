"""Made-up reports: the only place in the project where a figure is invented. Nothing here is a result."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from skinframe.reporting.case_pictures import encode
from skinframe.reporting.report_schema import (
    Data,
    ExampleCase,
    Headline,
    PlanModule,
    PlanText,
    Quarantined,
    Report,
    SplitCounts,
)
from skinframe.reporting.report_values import (
    AttributeRow,
    Bin,
    Calibration,
    ClassRow,
    Confusion,
    Derived,
    Estimate,
    Floor,
    Grounding,
    RationaleQuality,
    Reliability,
    ReportedTest,
    ResultRow,
    Series,
    Training,
)

CLASSES = ("NV", "MEL", "BCC", "BKL", "AK", "SCC", "VASC", "DF")
TITLES = (
    "melanocytic naevus",
    "melanoma",
    "basal cell carcinoma",
    "benign keratosis",
    "actinic keratosis",
    "squamous cell carcinoma",
    "vascular lesion",
    "dermatofibroma",
)
METHOD = "patient bootstrap, 1,000 resamples"


def estimate(value: float, half: float = 0.04, floor: Floor | None = None) -> Estimate:
    return Estimate(value=value, low=value - half, high=value + half, floor=floor, method=METHOD)


def row(name: str, figures: tuple[float, ...], role: str = "baseline", note: str = "") -> ResultRow:
    names = ("balanced_accuracy", "accuracy", "macro_auroc", "nll", "brier", "ece")
    halves = (0.045, 0.032, 0.02, 0.08, 0.03, 0.012)
    floor = Floor(mean=0.041, p95=0.058, p_value=0.0004 if figures[5] > 0.1 else 0.21)
    metrics = {
        metric: estimate(value, half, floor if metric == "ece" else None)
        for metric, value, half in zip(names, figures, halves, strict=True)
    }
    return ResultRow(name=name, metrics=metrics, role=role, note=note)


def lesion(rng: np.random.Generator, height: int = 128, width: int = 128) -> bytes:
    y, x = np.mgrid[0:height, 0:width]
    angle = np.arctan2(y - height / 2, x - width / 2)
    radius = np.hypot((y - height / 2) / height, (x - width / 2) / width)
    edge = 0.26 + 0.03 * np.sin(3 * angle + rng.uniform(0, 6)) + 0.02 * np.sin(7 * angle)
    inside = 1 / (1 + np.exp((radius - edge) / 0.015))[..., None]
    skin, dark = np.array([224, 172, 150]), np.array([105, 62, 48]) + rng.uniform(-20, 20, 3)
    texture = rng.normal(0, 7, (height, width, 1)) + 8 * np.sin(x / 3)[..., None] * np.sin(y / 3)[..., None] * inside
    return encode(np.clip(skin * (1 - inside) + dark * inside + texture, 0, 255).astype(np.uint8))


def case(index: int, rng: np.random.Generator, classes: int, grid: tuple[int, int] = (8, 8)) -> ExampleCase:
    logits = rng.normal(0, 1.6, classes)
    before = np.exp(1.6 * logits) / np.exp(1.6 * logits).sum()
    after = np.exp(logits) / np.exp(logits).sum()
    y, x = np.mgrid[0 : grid[0], 0 : grid[1]]
    centre = rng.uniform(2.5, 4.5, 2)
    heat = np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / 3) + rng.uniform(0, 0.08, grid)
    return ExampleCase(
        id=f"synthetic-{index:05d}",
        image=lesion(rng),
        probabilities=tuple(after.tolist()),
        before=tuple(before.tolist()),
        label=int(after.argmax()) if index % 3 else int(rng.integers(classes)),
        prediction=int(after.argmax()),
        heat=tuple(tuple(line) for line in heat.tolist()),
        metadata={"age_band": "50 to 59", "sex": "female", "site": "lower extremity"},
        rationale="Atypical pigment network and irregular streaks are present; no blue-whitish veil; "
        "the findings favour melanoma.",
        target_rationale="Atypical pigment network, irregular streaks and regression structures are present.",
        posterior=tuple(rng.dirichlet(np.exp(logits) + 0.2).tolist()),
        note=("most confident mistake", "drawn at random", "least sure")[index % 3],
    )


def bins(shift: float) -> tuple[Bin, ...]:
    counts = (4, 9, 18, 24, 31, 30, 38, 41, 40, 52, 61, 77, 131)
    made = []
    for index, size in enumerate(counts):
        confidence = (index + 2.5) / 15
        half = 1.96 * (confidence * (1 - confidence) / size) ** 0.5
        accuracy = min(1.0, max(0.0, confidence - shift * confidence + 0.03 * np.sin(index)))
        low, high = max(0.0, confidence - half), min(1.0, confidence + half)
        made.append(Bin(confidence=confidence, accuracy=float(accuracy), count=size, low=low, high=high))
    return tuple(made)


def training() -> Training:
    epochs = tuple(float(epoch) for epoch in range(1, 13))
    steps = tuple(float(step) for step in range(1, 481))
    rng = np.random.default_rng(5)

    def fall(start: float, end: float) -> tuple[float, ...]:
        return tuple((end + (start - end) * np.exp(-np.array(steps) / 90) + rng.normal(0, 0.03, 480)).tolist())

    parts = {"focal": (1.4, 0.35), "alignment": (2.1, 1.1), "soft_ece": (0.2, 0.06), "rationale": (5.5, 0.4)}
    valid = np.array(epochs)
    return Training(
        validation=(
            Series(name="balanced_accuracy", x=epochs, y=tuple((0.62 - 0.4 * np.exp(-valid / 2.5)).tolist())),
            Series(
                name="nll", x=epochs, y=tuple((0.85 + 0.9 * np.exp(-valid / 2) + 0.02 * (valid - 8) ** 2 / 8).tolist())
            ),
            Series(name="ece", x=epochs, y=(None, *(0.05 + 0.004 * valid[1:]).tolist())),
        ),
        losses=tuple(Series(name=name, x=steps, y=fall(*ends)) for name, ends in parts.items()),
        gradients=tuple(Series(name=name, x=steps, y=fall(ends[0] / 2, ends[1])) for name, ends in parts.items()),
        weights=(Series(name="soft_ece", x=(1.0, 240.0, 480.0), y=(0.0, 0.1, 0.1)),),
        chosen_epoch=8,
        derived=(Derived(term="focal", name="class weight", values={"MEL": 1.62, "NV": 0.38}),),
    )


def full(classes: tuple[str, ...] = CLASSES) -> Report:
    rng = np.random.default_rng(3)
    n = len(classes)
    counts = np.diag((160 / (np.arange(n) + 1)).astype(int)) + rng.integers(0, 6, (n, n))
    ece = rows()[0].metrics["ece"]
    return Report(
        headline=headline(),
        classes=classes,
        rows=rows(),
        warnings=("DF has 9 test images: its figures are too few to read alone.",),
        reliability=(
            Reliability(name="before calibration", bins=bins(0.24), ece=rows()[1].metrics["ece"]),
            Reliability(name="after calibration", bins=bins(0.02), ece=ece),
        ),
        confusion=Confusion(classes=classes, counts=tuple(tuple(line) for line in counts.tolist())),
        per_class=tuple(
            ClassRow(
                name=name,
                title=TITLES[index],
                n_train=900 // (index + 1),
                n_valid=160 // (index + 1),
                n_test=160 // (index + 1),
                recall=estimate(0.8 - 0.06 * index, 0.05 + 0.01 * index),
                precision=estimate(0.75 - 0.05 * index, 0.05 + 0.01 * index),
                auroc=estimate(0.95 - 0.01 * index, 0.02) if index < n - 1 else None,
            )
            for index, name in enumerate(classes)
        ),
        training=training(),
        calibration=Calibration(method="temperature", parameters={"temperature": "1.62"}),
        rationale=rationale(),
        grounding=Grounding(
            n=395,
            lift_over_area=estimate(2.4, 0.2),
            lift_over_centre=estimate(1.15, 0.1),
            tests=(ReportedTest(name="localisation", passed=True, detail="p = 0.01"),),
        ),
        data=data(classes),
        cases=tuple(case(index, rng, n) for index in range(9)),
        plan=plan(),
        notes=("The three loss terms are our reconstruction of CFA from its published description.",),
        checks=(
            ReportedTest(name="frozen towers made no call after the first epoch", passed=True, detail="0 calls"),
            ReportedTest(name="training and test share no patient", passed=True),
            ReportedTest(name="adapter randomisation", passed=None),
        ),
    )


def headline() -> Headline:
    return Headline(
        name="cfa_full",
        scale="tiny",
        device="CPU, 2 cores",
        date="2026-11-24",
        version="0.1.0",
        fingerprint="8f31c2a90b7e",
        seed=17,
        n_train=1402,
        n_valid=203,
        n_test=395,
        groups_train=410,
        groups_valid=60,
        groups_test=117,
        group_level="patient",
        epochs=12,
        chosen_epoch=8,
        chosen_by="lowest validation NLL",
        duration="3 min 12 s",
    )


def rows() -> tuple[ResultRow, ...]:
    return (
        row("skinframe (this run)", (0.612, 0.704, 0.912, 0.861, 0.412, 0.047), "main", "after temperature scaling"),
        row("skinframe, before calibration", (0.612, 0.704, 0.912, 1.102, 0.447, 0.131), "variant"),
        row("linear probe", (0.548, 0.690, 0.889, 0.930, 0.431, 0.052), note="same frozen features"),
        row("linear probe, class-balanced", (0.590, 0.641, 0.890, 1.044, 0.470, 0.090)),
        row("linear probe + metadata", (0.561, 0.698, 0.897, 0.911, 0.425, 0.050)),
        row("zero-shot CLIP", (0.402, 0.480, 0.801, 1.520, 0.640, 0.150)),
        ResultRow(name="class prior", metrics={"accuracy": estimate(0.405, 0.04), "nll": estimate(1.71, 0.05)}),
        row("Bayes ceiling", (0.688, 0.761, 0.941, 0.702, 0.341, 0.040), "reference", "the law that drew the images"),
    )


def rationale() -> RationaleQuality:
    names = ("pigment_network", "streaks", "blue_whitish_veil", "regression", "dots_and_globules")
    return RationaleQuality(
        n=395,
        accuracy=estimate(0.83, 0.015),
        majority=estimate(0.71, 0.012),
        attributes=tuple(
            AttributeRow(
                name=name, accuracy=estimate(0.9 - 0.04 * i, 0.03), majority=estimate(0.74, 0.03), mentioned=0.99
            )
            for i, name in enumerate(names)
        ),
    )


def data(classes: tuple[str, ...]) -> Data:
    sizes = {"train": (1402, 410), "valid": (203, 60), "test": (395, 117)}
    return Data(
        name="synthetic_dermoscopy",
        synthetic=True,
        sentence="2,000 synthetic dermoscopy images, drawn from a known law (patient, lesion, image).",
        split_sentence="Split by patient: no patient has images in two splits.",
        splits=tuple(
            SplitCounts(name=name, images=n, groups=g, classes={c: n // (2 * (i + 1)) for i, c in enumerate(classes)})
            for name, (n, g) in sizes.items()
        ),
        quarantined=(Quarantined(file="img_00412.jpg", reason="truncated JPEG: 1,204 of 9,881 bytes"),),
    )


def plan() -> PlanText:
    return PlanText(
        yaml="name: cfa_full\nseed: 17\nlosses:\n  focal: {use: focal, weight: 1.0}\n",
        modules=(
            PlanModule(name="clip.image_tower", role="frozen", parameters=1_204_224, bytes=4_816_896),
            PlanModule(name="reasoner.language_model", role="lora", parameters=65_536, bytes=262_144),
            PlanModule(name="heads.classify", role="trained", parameters=1_032, bytes=4_128),
        ),
        dropped=("losses.consistency (disabled)",),
    )


@pytest.fixture
def report() -> Report:
    return full()


@pytest.fixture
def seven() -> Report:
    """Seven classes, real images, no rationale, no heat, no law: what a run on HAM10000 without extras gives."""
    made = full(CLASSES[:5] + CLASSES[6:])
    bare = tuple(
        dataclasses.replace(one, rationale=None, target_rationale=None, posterior=None, heat=None, before=None)
        for one in made.cases
    )
    assert made.data is not None
    return dataclasses.replace(
        made,
        cases=bare,
        rationale=None,
        grounding=None,
        calibration=None,
        rows=made.rows[:-1],
        data=dataclasses.replace(made.data, name="ham10000", synthetic=False, sentence="", quarantined=()),
    )


@pytest.fixture
def least() -> Report:
    """Only what every report must have."""
    return Report(headline=headline(), classes=CLASSES, rows=())


@pytest.fixture
def hostile() -> Callable[[str], Report]:
    """The full report with one hostile text in every place that takes a text."""

    def make(text: str) -> Report:
        return poison(full(), text)

    return make


def poison(value: Any, text: str) -> Any:
    if isinstance(value, str):
        return text
    if isinstance(value, tuple):
        return tuple(poison(item, text) for item in value)
    if isinstance(value, dict):
        keep = all(isinstance(item, Estimate | int) for item in value.values())
        return {
            (key if keep else f"{text}{index}"): poison(item, text) for index, (key, item) in enumerate(value.items())
        }
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
        return dataclasses.replace(
            value, **{name: poison(item, text) for name, item in fields.items() if name != "role"}
        )
    return value
