"""The audit as files: audit.json for machines, audit.html for people, with the report's style and its rules."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

from skinframe.curating.finding import Audit
from skinframe.durable import write_atomic
from skinframe.reporting.json_codec import dumps, loads


def write_audit(audit: Audit, folder: Path) -> None:
    """Write both files, each whole or not at all; the JSON holds no pictures. Raises DiskError."""
    plain = replace(audit, pairs=tuple(replace(pair, left=b"", right=b"") for pair in audit.pairs))
    write_atomic(folder / "audit.json", dumps(plain).encode("utf-8", "replace"))
    write_atomic(folder / "audit.html", render(audit).encode("utf-8", "replace"))


def read_audit(path: Path) -> Audit:
    """Return what `write_audit` wrote, without its pictures. Raises DataError."""
    return loads(Audit, path.read_text(encoding="utf-8"), str(path))


def render(audit: Audit) -> str:
    """Return one self-contained page without script; every value is escaped, pictures are made of pixels here."""
    from jinja2 import ChoiceLoader, PackageLoader

    from skinframe.reporting.page import environment

    env = environment()
    env.loader = ChoiceLoader([PackageLoader("skinframe.curating"), PackageLoader("skinframe.reporting")])
    return env.get_template("audit.html.j2").render(audit=audit, uri=_uri)


def _uri(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode("ascii")
