"""A plugin file adds a verb: a command with help, and a Python function."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import skinframe
from skinframe.cli import main
from skinframe.errors import RecipeError

PLUGIN = '''
"""Count the words of a text file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import skinframe
from skinframe.components import Verb, option


@dataclass(frozen=True, kw_only=True)
class Options:
    file: Path = option(help="a text file", metavar="FILE")
    unit: Literal["words", "lines"] = option("words", help="what to count")
    skip: tuple[str, ...] = option((), help="word to leave out; repeatable", metavar="WORD")
    at_least: int | None = option(None, help="fail below this count")
    loud: bool = option(False, help="shout")


class CountWords(Verb):
    """Count the words or lines of a text file."""

    name = "count-words"
    help = "count the words or lines of a text file"
    Config = Options

    def run(self) -> object:
        text = self.config.file.read_text()
        units = text.split() if self.config.unit == "words" else text.splitlines()
        count = len([unit for unit in units if unit not in self.config.skip])
        if self.config.at_least is not None and count < self.config.at_least:
            raise skinframe.DataError(f"{self.config.file}: {count} {self.config.unit}, expected more")
        return f"{count} {self.config.unit}" + "!" * self.config.loud


@skinframe.hookimpl
def register_verbs():
    return [CountWords]
'''


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    path = tmp_path / "count_words.py"
    path.write_text(PLUGIN)
    return path


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.txt"
    path.write_text("one two two\nthree\n")
    return path


def call(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    code = 0
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "4 words\n"),
        (["--unit", "lines"], "2 lines\n"),
        (["--skip", "two", "--skip", "one", "--loud"], "1 words!\n"),
        (["--at-least", "4"], "4 words\n"),
    ],
)
def test_it_is_a_command(plugin: Path, text: Path, words: list[str], said: str, capsys: Any) -> None:
    assert call(capsys, "--plugin", plugin, "count-words", text, *words) == (0, said, "")
    assert call(capsys, "count-words", text, *words, f"--plugin={plugin}") == (0, said, "")


def test_it_is_a_function(plugin: Path, text: Path) -> None:
    assert skinframe.verb("count-words", plugins=[plugin], file=text) == "4 words"
    assert skinframe.verb("count-words", plugins=[plugin], file=text, skip=["two"], unit="words") == "2 words"


def test_its_help_is_made_from_its_options(plugin: Path, capsys: Any) -> None:
    code, out, _ = call(capsys, "--plugin", plugin, "count-words", "--help")
    assert code == 0
    assert "Count the words or lines of a text file." in out
    assert "--at-least" in out
    assert "{words,lines}" in out
    assert "what to count (default: words)" in " ".join(out.split())


def test_its_errors_are_one_message_and_a_code(plugin: Path, text: Path, capsys: Any) -> None:
    code, _, err = call(capsys, "--plugin", plugin, "count-words", text, "--at-least", "9")
    assert (code, err) == (3, f"{text}: 4 words, expected more\n")
    code, _, err = call(capsys, "--plugin", plugin, "count-words", text, "--unit", "letters")
    assert code == 2
    assert "invalid choice" in err
    code, _, err = call(capsys, "--plugin", "nowhere.py", "count-words", text)
    assert code == 2
    assert "no such file" in err


def test_an_unknown_verb_or_option_says_what_was_meant(plugin: Path, text: Path, capsys: Any) -> None:
    with pytest.raises(RecipeError, match="did you mean 'count-words'"):
        skinframe.verb("count-word", plugins=[plugin], file=text)
    with pytest.raises(RecipeError, match="no such option; did you mean 'unit'"):
        skinframe.verb("count-words", plugins=[plugin], file=text, units="lines")
    with pytest.raises(RecipeError, match="file: is required and missing"):
        skinframe.verb("count-words", plugins=[plugin])
    code, _, err = call(capsys, "count-words", text)
    assert code == 2
    assert "invalid choice: 'count-words'" in err


def test_a_built_in_command_keeps_its_name(plugin: Path, capsys: Any) -> None:
    plugin.write_text(PLUGIN.replace('name = "count-words"', 'name = "plan"'))
    code, out, _ = call(capsys, "--plugin", plugin, "plan", "--help")
    assert code == 0
    assert "RECIPE" in out


def test_a_file_before_a_built_in_command_counts_for_it(plugin: Path, capsys: Any) -> None:
    code, out, err = call(capsys, "--plugin", plugin, "show", "count-words")
    assert code == 0, err
    assert "Count the words or lines" in out
    assert "at_least" in out
