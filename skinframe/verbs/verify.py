"""`skinframe verify`: check the hashes of a run, a checkpoint or a feature cache."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from skinframe.verbs.command_from_signature import Command, Option

if TYPE_CHECKING:
    from skinframe.running.verify_files import Verified


def verify(
    place: Annotated[str | Path, Option("folder to read back and check", metavar="RUN|CACHE|CHECKPOINT")],
) -> Verified:
    """Check every hash of a run, checkpoint or feature cache. Raises NotWholeError naming what is damaged."""
    from skinframe.running.verify_files import verify as read_back

    return read_back(Path(place))


COMMAND = Command("verify", verify, "check the hashes of a run, a checkpoint or a feature cache")
