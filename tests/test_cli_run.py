"""The command line on a real run: run, report, compare, predict; and every refusal's exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from skinframe.cli import main


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Any:
    """Call the command line in this process; return exit code, standard output, standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        import signal

        before = signal.getsignal(signal.SIGTERM)
        code = 0
        try:
            main([str(word) for word in words])
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            signal.signal(signal.SIGTERM, before)
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_run_in_a_process_of_its_own_leaves_the_same_run(small: Any, finished: Path, cli: Any, tmp_path: Path) -> None:
    found = cli(small.words(tmp_path / "out"))
    assert found.returncode == 0, found.stderr
    assert "Balanced accuracy" in found.stdout
    assert "for research only" in found.stdout
    assert "report " in found.stderr
    assert "Traceback" not in found.stderr
    folder = tmp_path / "out" / finished.name
    for name in ("log.jsonl", "metrics.json", "predictions/test.parquet"):
        assert (folder / name).read_bytes() == (finished / name).read_bytes(), name


def test_report_writes_the_page_again(finished: Path, call: Any, tmp_path: Path) -> None:
    run = tmp_path / finished.name
    shutil.copytree(finished, run)
    (run / "report.html").unlink()
    code, out, _ = call("report", run)
    assert code == 0
    assert "Balanced accuracy" in out
    assert (run / "report.html").read_text() == (finished / "report.html").read_text()


def test_compare_two_runs(finished: Path, small: Any, call: Any, tmp_path: Path) -> None:
    first = tmp_path / finished.name
    shutil.copytree(finished, first)
    second = small.run(tmp_path, "train.epochs=1", without=["losses.alignment"]).folder
    code, out, err = call("compare", first, second)
    assert code == 0, err
    assert "balanced" in out.lower()
    assert (tmp_path / "compare.html").read_text().startswith("<!doctype html>")


def test_compare_refuses_other_test_samples(finished: Path, small: Any, call: Any, tmp_path: Path) -> None:
    other = small.run(tmp_path, "train.epochs=1", "data.config.seed=104").folder
    code, _, err = call("compare", finished, other)
    assert code == 3
    assert "was tested on other samples" in err


def test_predict_prints_and_writes(finished: Path, photograph: Path, call: Any, tmp_path: Path) -> None:
    code, out, err = call("predict", finished, photograph, "--meta", "age=60", "--meta", "sex=male", "--out", tmp_path)
    assert code == 0, err
    assert "new lesion.png: " in out
    assert "%" in out
    assert "for research only" in out
    (entry,) = json.loads((tmp_path / "predictions.json").read_text())
    assert sum(entry["probabilities"].values()) == pytest.approx(1)
    assert (tmp_path / "0000-new lesion-heat.png").is_file()


REFUSED = [
    (("predict", "{finished}", "nowhere.png"), 3, "nowhere.png: no such file"),
    (("predict", "{finished}", "{photograph}", "--meta", "aeg=6"), 3, "did you mean 'age'"),
    (("predict", "{finished}", "{photograph}", "--meta", "age"), 2, "expected FIELD=VALUE"),
    (("predict", "nowhere", "{photograph}"), 2, "not a finished run"),
    (("report", "nowhere"), 3, "nowhere"),
    (("compare", "{finished}", "nowhere"), 3, "nowhere"),
    (("compare", "{finished}"), 2, "at least two"),
    (("run", "{recipe}", "--plugin", "nowhere.py"), 2, "no such file"),
    (("run", "{recipe}", "--preset", "ham10000"), 3, "data.config.root=FOLDER"),
    (("run", "{recipe}", "--set", "requires=[cfa, clip, qwen, derm, tiny, odd]"), 2, "no plugin 'odd' is installed"),
    (
        ("run", "{recipe}", "--set", "requires=[cfa, clip, qwen, derm]"),
        2,
        "'synthetic_dermoscopy' is in the plugin 'tiny': add it to `requires`",
    ),
    (("run", "{recipe}", "--set", "split.file=nowhere.json", "--out", "{tmp}"), 3, "nowhere.json"),
    (("run", "{recipe}", "--set", "train.lr=1e30", "--out", "{tmp}"), 4, "lower train.lr"),
]


@pytest.mark.parametrize(
    ("words", "expected", "said"), REFUSED, ids=lambda value: " ".join(value)[:60] if isinstance(value, tuple) else None
)
def test_a_refusal_is_one_message_and_a_code(
    words: tuple[str, ...],
    expected: int,
    said: str,
    finished: Path,
    photograph: Path,
    small: Any,
    call: Any,
    tmp_path: Path,
) -> None:
    recipe = [str(small.recipe), "--cache", str(small.cache), "--set", small.overrides[0]]
    places = {"{finished}": [finished], "{photograph}": [photograph], "{tmp}": [tmp_path], "{recipe}": recipe}
    code, out, err = call(*[part for word in words for part in places.get(word, [word])])
    assert code == expected, err
    assert said in err
    assert "Traceback" not in err
    assert not out


def test_debug_shows_the_trace(call: Any) -> None:
    from skinframe.errors import RecipeError

    with pytest.raises(RecipeError):
        call("--debug", "plan", "nowhere.yaml")
