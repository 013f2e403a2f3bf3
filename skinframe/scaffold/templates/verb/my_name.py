from dataclasses import dataclass
from pathlib import Path

import skinframe
from skinframe.components import option


class MyName(skinframe.Verb):
    """Counts the files of a run folder by their suffix."""

    name = "my_name"
    help = "count the files of a run folder by their suffix"

    @dataclass(frozen=True, kw_only=True)
    class Config:
        folder: Path = option(Path("."), help="the run folder (default: this one)")

    def run(self) -> str:
        if not self.config.folder.is_dir():
            raise skinframe.DataError(f"my_name: {self.config.folder} is not a folder; name a run folder")
        suffixes = [path.suffix or "no suffix" for path in self.config.folder.rglob("*") if path.is_file()]
        return "\n".join(f"{suffix:<12}{suffixes.count(suffix)}" for suffix in sorted(set(suffixes)))


@skinframe.hookimpl
def register_verbs() -> list[type[skinframe.Verb]]:
    return [MyName]
