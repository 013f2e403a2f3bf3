"""How much of the label the columns of real tables tell: clinical ones and known leaks. Run it by hand; it is no test:

python tests/benchmarks/leak_thresholds.py --data ../shared/data
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from skinframe.curating.audit_result import Probe
from skinframe.curating.label_predictability import binned
from skinframe.curating.leak_probes import FIELD_LEAK, judged, probed
from skinframe.sample import Sample, Value

BINARY = {"BCC": "malignant", "SCC": "malignant", "MEL": "malignant", "NEV": "benign", "SEK": "benign"}


def value(text: str) -> Value:
    try:
        return float(text)
    except ValueError:
        return text or None


def probes(name: str, rows: Sequence[dict[str, str]], label: str, group: str, columns: Sequence[str]) -> list[Probe]:
    """Return a probe of each column by itself, as the audit would probe it as a field."""
    classes = tuple(sorted({row[label] for row in rows}))
    samples = [
        Sample(id=f"{number}", image=f"{number}.jpg", label=classes.index(row[label]), lesion=row[group] or f"{number}")
        for number, row in enumerate(rows)
    ]
    known = probed(samples, classes)
    return [
        known.probe(f"{name}:{column}", binned([value(row[column]) for row in rows]), limit=FIELD_LEAK)
        for column in columns
    ]


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def isic2019(data: Path) -> list[dict[str, str]]:
    truth = {
        row["image"]: next(name for name in row if row[name].startswith("1"))
        for row in read(data / "tables" / "ISIC_2019_Training_GroundTruth.csv")
    }
    rows = read(data / "tables" / "ISIC_2019_Training_Metadata.csv")
    return [{**row, "label": truth[row["image"]], "source": row["lesion_id"][:3]} for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    pad = read(data / "pad_ufes_20" / "metadata_all_2298.csv")
    asked = ["age", "region", "itch", "grew", "hurt", "changed", "bleed", "elevation", "fitspatrick"]
    out = ["biopsed", "smoke", "pesticide", "gender", "diameter_1"]
    binary = [{**row, "label": BINARY[row["diagnostic"]]} for row in pad if row["diagnostic"] in BINARY]
    uda1 = [row for row in read(data / "isic_uda1" / "metadata.csv") if row["diagnosis"]]
    found = [
        *probes(
            "ham10000",
            read(data / "ham10000" / "metadata.csv"),
            "dx",
            "lesion_id",
            ["age", "sex", "localization", "dx_type"],
        ),
        *probes(
            "isic2019",
            isic2019(data),
            "label",
            "lesion_id",
            ["age_approx", "sex", "anatom_site_general", "source"],
        ),
        *probes(
            "isic2020",
            read(data / "tables" / "ISIC_2020_Training_GroundTruth.csv"),
            "benign_malignant",
            "patient_id",
            ["age_approx", "sex", "anatom_site_general_challenge", "diagnosis"],
        ),
        *probes("pad_ufes_20", pad, "diagnostic", "patient_id", [*asked, *out]),
        *probes("pad_ufes_20 malignancy", binary, "label", "patient_id", [*asked, *out]),
        *probes("isic_uda1", uda1, "diagnosis", "image_id", ["age_approx", "sex", "diagnosis_confirm_type"]),
    ]
    levels = {finding.name: finding.level for finding in judged(found)}
    for probe in found:
        share = f"{probe.settled or 0:.3f} of {probe.settles or 'none'}"
        print(
            f"{probe.name:44} AUROC {probe.auroc:.3f} {probe.label:9} settled {share:20} {levels.get(probe.name, '')}"
        )


if __name__ == "__main__":
    main()
