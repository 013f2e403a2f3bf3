"""Data sets with an official download: their facts, column policies and label maps."""

from __future__ import annotations

from skinframe_derm.dataset_facts import SetFacts, read_facts

from skinframe import plugins
from tables.text import table


def dataset_table() -> str:
    """Every data set with an official download: facts of its file in skinframe_derm.sets."""
    rows = []
    for name, facts in dataset_facts().items():
        level = plugins.load(["derm"]).entries["dataset", name].component.level  # type: ignore[attr-defined]
        where = f"[{facts.title}]({facts.page}), {facts.cite}"
        rows_sha256 = f"`{facts.rows_sha256[:16]}`" if facts.rows_sha256 else ""
        rows.append((f"`{name}`", where, f"{facts.images:,}", level, facts.licence, facts.unpack, rows_sha256))
    return table(("`use`", "what", "images", "groups", "licence", "unpack", "SHA-256 of its rows"), rows)


def policy_table() -> str:
    """What each set's columns may be used for."""
    rows = []
    for name, facts in dataset_facts().items():
        policy = facts.columns
        never = ", ".join(f"`{column}`" for column in policy.never)
        shown = ", ".join(f"`{column}`" for column in policy.optional[:2])
        more = f" and {len(policy.optional) - 2} more" if len(policy.optional) > 2 else ""
        option = f" ({shown}{more} by option)" if policy.optional else ""
        asked = ", ".join(f"`{column}`" for column in policy.prompt) or "none"
        rows.append((f"`{name}`", asked + option, ", ".join(f"`{c}`" for c in policy.split), never or "none"))
    return table(("`use`", "prompt", "split only", "never read"), rows)


def taxonomy_table() -> str:
    """Each set's own labels in the shared classes."""
    rows = []
    for name, facts in dataset_facts().items():
        for own, shared in facts.labels.items():
            rows.append((f"`{name}`", own, shared.get("isic8", ""), shared.get("malignancy", "")))
    return table(("`use`", "own label", "`isic8`", "`malignancy`"), rows)


def dataset_facts() -> dict[str, SetFacts]:
    names = plugins.load(["derm"]).names("dataset")
    return {name: read_facts(name) for name in names if name != "table"}
