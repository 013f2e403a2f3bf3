"""Terms that the sections of the report name, each with one sentence; docs/glossary.md defines these and more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class GlossaryTerm:
    """A term of the field, the key that sections name it by, and its definition."""

    key: str
    label: str
    meaning: str

    @property
    def anchor(self) -> str:
        return f"term-{self.key}"


_TEXTS = (
    ("group", "Group", "Images resampled together: those of one patient, or of one lesion where no patient id exists."),
    ("interval", "Interval", "The values that the data are compatible with, from resampling whole groups."),
    ("proper-score", "Proper score", "A score such as NLL or Brier, minimised only by the true probabilities."),
    (
        "calibration",
        "Calibration",
        "Stated probabilities match observed frequencies: of predictions made with 70 %, 70 % are correct.",
    ),
    ("ece", "ECE", "Expected calibration error: the mean gap between confidence and accuracy over bins of confidence."),
    (
        "floor",
        "Floor",
        "The mean score of a perfectly calibrated model with these probabilities and this number of images.",
    ),
    (
        "calibrator",
        "Calibrator",
        "A map from logits to probabilities, fitted on validation predictions, such as temperature scaling.",
    ),
    ("recall", "Recall (sensitivity)", "Of the images of a class, the share that is predicted as this class."),
    ("precision", "Precision (PPV)", "Of the images predicted as a class, the share that is of this class."),
    ("auroc", "AUROC", "The probability that a random positive is ranked above a random negative; 0.5 is chance."),
    (
        "average-precision",
        "Average precision",
        "Area under the precision-recall curve; chance: the share of positives.",
    ),
    ("net-benefit", "Net benefit", "True positives less false positives weighted by the odds of the threshold."),
    (
        "coverage",
        "Coverage",
        "The share of images that are kept (selective prediction) or whose set holds the true class (conformal).",
    ),
    ("risk", "Risk", "The error rate among the images that are kept."),
    ("augrc", "AUGRC", "Area under the generalised risk-coverage curve: the share kept and wrong, over coverage."),
    ("aurc", "AURC", "Area under the risk-coverage curve: the error rate of the images kept, over coverage."),
    (
        "conformal",
        "Conformal prediction",
        "Sets of classes that hold the true class at a stated rate on exchangeable data.",
    ),
    (
        "lac",
        "LAC, APS, RAPS",
        "Scores of conformal sets: 1 minus the probability; cumulative probability; the latter with a size penalty.",
    ),
    (
        "holm",
        "Holm correction",
        "p-values adjusted for the number of tests: any false positive stays as rare as stated.",
    ),
    (
        "tier",
        "Tier",
        "Images grouped by distance of institution and modality from the training data, or by a field.",
    ),
    ("rationale", "Rationale", "The text that the model generates to explain its prediction."),
    (
        "lift",
        "Lift",
        "Heat inside the lesion mask divided by the heat that a baseline map puts there; 1 is the baseline.",
    ),
)
TERMS: dict[str, GlossaryTerm] = {
    key: GlossaryTerm(key=key, label=label, meaning=meaning) for key, label, meaning in _TEXTS
}
