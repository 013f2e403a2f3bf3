"""What the headline of a run says where the command line changed its losses: 'CFA without alignment'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def changed_title(title: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Return the title with what became of the losses; `before` and `after` are the recipe's mappings of them."""
    without, swapped, changed = [], [], []
    for name, entry in after.items():
        old = before.get(name)
        if not isinstance(entry, Mapping) or entry == old:
            continue
        if not _takes_part(entry):
            without += [name] if isinstance(old, Mapping) and _takes_part(old) else []
        elif not isinstance(old, Mapping) or not _takes_part(old):
            swapped.append(f"with {name}")
        elif entry.get("use") != old.get("use"):
            swapped.append(f"with {entry.get('use')} for {name}")
        else:
            changed.append(name)
    said = [f"without {_listed(without)}"] if without else []
    said += swapped
    said += [f"with other options of {_listed(changed)}"] if changed else []
    return " ".join([title, ", ".join(said)]).strip()


def _takes_part(entry: Mapping[str, Any]) -> bool:
    return entry.get("enabled", True) is not False and entry.get("weight", 1.0) != 0


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
