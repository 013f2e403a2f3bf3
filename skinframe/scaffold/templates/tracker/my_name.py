from collections.abc import Mapping
from pathlib import Path
from typing import TextIO

import skinframe


class MyName(skinframe.Tracker):
    """Writes one line per number to `my_name.csv` in the run folder: step, name, value."""

    name = "my_name"
    file: TextIO

    def start(self, folder: Path, run: str, settings: Mapping[str, str]) -> None:
        self.file = (folder / "my_name.csv").open("a", encoding="utf-8")

    def log(self, step: int, values: Mapping[str, float]) -> None:
        self.file.writelines(f"{step},{name},{value!r}\n" for name, value in values.items())

    def close(self) -> None:
        self.file.close()


@skinframe.hookimpl
def register_trackers() -> list[type[skinframe.Tracker]]:
    return [MyName]
