"""Text of a stranger stays text on the terminal, and a plugin that breaks while it loads is named."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

import skinframe.plugins as plugins
from skinframe.catalog import Origin
from skinframe.cli import main
from skinframe.errors import RecipeError
from skinframe.printable_text import printable

ESCAPES = ["\x1b[2J", "\x1b]0;title\x07", "\u202e", "\u2066", "\x9b31m", "\r", "\x08", "\ud800", "\x00"]


@pytest.mark.parametrize("text", ESCAPES)
def test_control_and_right_to_left_characters_are_escaped(text: str) -> None:
    shown = printable(f"a{text}b\n\tc äµ≥ 皮")
    assert text not in shown
    assert shown.endswith("b\n\tc äµ≥ 皮")
    shown.encode()


@pytest.mark.parametrize("text", ["\\e[2J", "\\u202e", "\\u2066", "\\x9b"])
@pytest.mark.parametrize("verb", ["plan", "run"])
def test_a_recipe_cannot_move_the_cursor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, verb: str
) -> None:
    path = tmp_path / "evil.yaml"
    path.write_text(f'"na{text}me": 1\nrequires: ["x{text}y"]\n')
    with pytest.raises(SystemExit) as end:
        main([verb, str(path)])
    assert end.value.code == 2
    shown = capsys.readouterr().err
    assert "evil.yaml" in shown
    assert not any(letter in shown for letter in "\x1b\u202e\u2066\x9b")


def test_a_file_name_cannot_move_the_cursor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["plan"], ["verify"], ["report"], ["predict"], ["data", "show"], ["evaluate"]):
        with pytest.raises(SystemExit):
            main([*words, str(tmp_path / "\x1b[2J\u202e")])
        shown = capsys.readouterr().err
        assert "\x1b" not in shown
        assert "\u202e" not in shown


BROKEN = {
    "exit": "import sys; sys.exit(0)",
    "exit in a hook": "import sys, skinframe\n@skinframe.hookimpl\ndef register_losses():\n    sys.exit(0)\n",
    "base exception": "class Odd(BaseException): pass\nraise Odd('x')",
    "getattr": "class Odd:\n    def __getattr__(self, name): raise RuntimeError('odd ' + name)\nodd = Odd()\n",
    "str raises": "class E(Exception):\n    def __str__(self): raise ValueError\nraise E",
    "escape in its message": "raise RuntimeError('\\x1b[2J')",
    "recursion": "def f(): f()\nf()",
    "class that raises": (
        "import skinframe\nclass Meta(type(skinframe.Loss)):\n    def __getattribute__(cls, name):\n"
        "        if name == 'Config': raise OSError('odd')\n        return super().__getattribute__(name)\n"
        "class L(skinframe.Loss, metaclass=Meta):\n    name = 'l'\n    coupling = 'batch'\n    def forward(self): ...\n"
        "@skinframe.hookimpl\ndef register_losses():\n    return [L]\n"
    ),
}


@pytest.mark.parametrize("source", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("installed", [True, False])
def test_a_plugin_that_breaks_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, installed: bool
) -> None:
    file = tmp_path / "odd_plugin_for_test.py"
    file.write_text(source)
    if not installed:
        with pytest.raises(RecipeError, match="odd") as refused:
            plugins.load([], [file])
        assert "\x1b" not in str(refused.value)
        return
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "odd_plugin_for_test", raising=False)
    known: Any = dict(plugins.installed())
    entry = EntryPoint("odd", "odd_plugin_for_test", "skinframe")
    known["odd"] = plugins.Installed(name="odd", origin=Origin("odd", "skinframe-odd", "1"), entry=entry)
    monkeypatch.setattr(plugins, "installed", lambda: known)
    if source == BROKEN["getattr"]:  # nothing looks at this value
        assert plugins.load(["odd", "cfa"]).find("loss", "focal")
        return
    with pytest.raises(RecipeError, match="odd"):
        plugins.load(["odd"])
    if "hookimpl" in source:  # a broken hook or class is a problem of the catalog
        with pytest.raises(RecipeError, match="odd"):
            plugins.load(["cfa", "odd"], strict=False)
        return
    catalog = plugins.load(["cfa", "odd"], strict=False)
    assert "odd" in catalog.broken
    assert catalog.find("loss", "focal")


def test_an_interrupt_still_interrupts(tmp_path: Path) -> None:
    file = tmp_path / "stopped.py"
    file.write_text("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        plugins.load([], [file])
