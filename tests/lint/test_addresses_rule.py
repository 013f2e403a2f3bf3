"""The lint rule on addresses finds what it forbids, and the product holds to it."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("addresses.py")
RULE = runpy.run_path(str(SCRIPT))


@pytest.mark.parametrize("line", [
    "name.split('.')[0]", "name.partition('.')", "name.rpartition('.')[2]", "name.startswith('batch.')",
    "name.removeprefix('reasoner.')", "f'{instance}.{signal}'", "f'batch.{name}'", "batch['batch.labels']",
])  # fmt: skip
def test_each_way_of_handling_an_address_is_found(line: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "bad.py").write_text(f"def f(name, instance, signal, batch):\n    return {line}\n")
    assert RULE["main"]([str(tmp_path / "model")]) == 1


@pytest.mark.parametrize("line", ["name.split(',')", "f'{a}: {b}'", "'a sentence. Another.'", "f'{x:.2f}'"])
def test_what_is_no_address_is_left_alone(line: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "fine.py").write_text(f"def f(name, a, b, x):\n    return {line}\n")
    assert RULE["main"]([str(tmp_path / "model")]) == 0


def test_no_file_of_the_product_handles_addresses_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert RULE["main"]([]) == 0, capsys.readouterr().out


def test_every_exception_is_still_needed() -> None:
    """An exception whose function is gone, or handles no dots any more, must go too."""
    exceptions = dict(RULE["NOT_ADDRESSES"])
    globals_of = RULE["main"].__globals__
    root = globals_of["ROOT"] / "skinframe"
    for name, scope in exceptions:
        path = root / name
        assert path.is_file(), f"{name} is gone"
        globals_of["NOT_ADDRESSES"] = {key: why for key, why in exceptions.items() if key != (name, scope)}
        try:
            assert list(RULE["violations"](path, name)), f"{name}: {scope} needs no exception"
        finally:
            globals_of["NOT_ADDRESSES"] = exceptions
