"""Text of which a part may come from a file, shown so that it can neither move a cursor nor hide itself."""

from __future__ import annotations

import re

UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)


def printable(text: str) -> str:
    """Return text for a terminal or a message: control, right-to-left and invisible characters are shown escaped."""
    return UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def say(value: object) -> None:
    """Print a value of which a part may come from a file: nothing of it can move the cursor or hide text."""
    print(printable(str(value)), flush=True)
