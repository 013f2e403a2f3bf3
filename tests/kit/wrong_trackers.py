"""One deliberately wrong tracker for each check of the contract kit."""

from __future__ import annotations

import json
import math

import skinframe


class Right(skinframe.Tracker):
    """One JSON line per step; passes every check."""

    name = "right"

    def start(self, folder, run, settings):
        self.file = (folder / "right.jsonl").open("a", encoding="utf-8")

    def log(self, step, values):
        self.file.write(json.dumps({"step": step, **values}) + "\n")

    def close(self):
        self.file.close()


class FixedNames(Right):
    """Takes the names that it knows and no other, as a table with fixed columns would."""

    def log(self, step, values):
        if values.keys() - {"total", "rate", "grad_norm"}:
            raise AssertionError("a name that the table has no column for")
        super().log(step, values)


class OncePerFolder(Right):
    def start(self, folder, run, settings):
        assert not (folder / "right.jsonl").exists(), "the folder was used before"
        super().start(folder, run, settings)


class Tidying(Right):
    def log(self, step, values):
        super().log(step, values)
        for name, value in values.items():
            values[name] = value if math.isfinite(value) else 0.0
        values["step"] = float(step)


RIGHT = [Right()]
WRONG = {"recorded": FixedNames(), "resumed": OncePerFolder(), "pure": Tidying()}
ALSO = {"recorded": {"resumed", "pure"}}  # which record too
