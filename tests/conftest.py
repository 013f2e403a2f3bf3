"""One small real run that many tests look at: random Qwen2.5-VL classes, the embedded CLIP, 60 synthetic images."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "tests" / "small.yaml"
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>")
SPECIALS += ("<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")
TIMED = ("report.json", "report.html", "files.json", "files.sha256", ".lock")
"""They hold a duration, a process number or hashes of such files, and nothing else that may differ."""


@dataclass(frozen=True)
class Small:
    """The recipe of the small run and what is set on it; `cache` is shared, so features are computed once."""

    recipe: Path
    overrides: tuple[str, ...]
    cache: Path

    def words(self, out: Path, *more: str, verb: str = "run") -> list[str]:
        """Return the command line of the run, with `more` after it."""
        sets = [word for override in self.overrides for word in ("--set", override)]
        places = ["--out", str(out), "--cache", str(self.cache)] if verb == "run" else []
        return [verb, str(self.recipe), *sets, *places, *more]

    def run(self, out: Path, *overrides: str, **more: Any) -> Any:
        """Run it in this process and return the RunResult."""
        import skinframe

        options = {"out": out, "cache": self.cache, "quiet": True, **more}
        return skinframe.run(self.recipe, overrides=[*self.overrides, *overrides], **options)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def tiny_qwen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random checkpoint of the real classes in the Hugging Face folder format, under 1 MB."""
    import torch
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    folder = tmp_path_factory.mktemp("qwen")
    ids = _tokenizer(folder)
    rope = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [2, 3, 3]}
    text = {"vocab_size": 320, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2}
    text |= {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 512}
    vision = {"depth": 2, "hidden_size": 32, "intermediate_size": 64, "num_heads": 2, "out_hidden_size": 64}
    vision |= {"patch_size": 14, "window_size": 56, "fullatt_block_indexes": [1]}
    config = Qwen2_5_VLConfig(
        text_config={**text, "rope_parameters": rope, "bos_token_id": None, "eos_token_id": ids["<|im_end|>"]},
        vision_config=vision,
        **{f"{word}_token_id": ids[f"<|{word}_pad|>"] for word in ("image", "video")},
        **{f"vision_{end}_token_id": ids[f"<|vision_{end}|>"] for end in ("start", "end")},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Qwen2_5_VLForConditionalGeneration(config)
        with torch.no_grad():  # peaked predictions: tokens differ in their loss, argmax is not a matter of rounding
            model.lm_head.weight.mul_(10)
        model.save_pretrained(folder)
    return folder


def _tokenizer(folder: Path) -> dict[str, int]:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    corpus = ["the lesion shows an atypical network, dots and globules, a veil; age, sex, site of the patient"]
    tokenizer.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet))
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIALS])
    tokenizer.save(str(folder / "tokenizer.json"))
    options = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(options), encoding="utf-8")
    return {name: tokenizer.token_to_id(name) for name in SPECIALS}


@pytest.fixture(scope="session")
def small(tiny_qwen: Path, tmp_path_factory: pytest.TempPathFactory) -> Small:
    recipe = tmp_path_factory.mktemp("recipes") / RECIPE.name
    shutil.copytree(ROOT / "recipes" / "presets", recipe.parent / "presets")
    shutil.copy(RECIPE, recipe)  # a file edited while the tests run must not change them
    return Small(recipe, (f"reasoner.config.model={tiny_qwen}",), tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def finished(small: Small, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small run, finished; tests read it and never write to it."""
    folder: Path = small.run(tmp_path_factory.mktemp("finished")).folder
    return folder


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A copy of the finished run, to change."""
    folder = tmp_path / finished.name
    shutil.copytree(finished, folder)
    return folder


@pytest.fixture(scope="session")
def harms() -> dict[str, Callable[[Path], None]]:
    """What can befall a file, by name."""

    def flip(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)

    return {
        "flip": flip,
        "cut": lambda path: os.truncate(path, path.stat().st_size - 1),
        "halve": lambda path: os.truncate(path, path.stat().st_size // 2),
        "delete": Path.unlink,
    }


@pytest.fixture(scope="session")
def contents() -> Callable[[Path], dict[str, str]]:
    """Return the SHA-256 of every file of a run folder but the time-bearing ones."""

    def read(folder: Path) -> dict[str, str]:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in TIMED]
        return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    return read


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """What a child process sees: no network (also enforced), one thread."""
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    return {**os.environ, **offline, "PYTHONPATH": str(ROOT / "tests" / "offline"), "COLUMNS": "120"}


Cli = Callable[[Sequence[str]], subprocess.CompletedProcess[str]]


@pytest.fixture
def cli(environment: dict[str, str], tmp_path: Path) -> Cli:
    """Run the command line in a process of its own, in an empty folder."""

    def call(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("skinframe")), *map(str, words)]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    return call


@pytest.fixture(scope="session")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One new image that no run has seen."""
    from skinframe_tiny import SyntheticDermoscopy

    dataset = SyntheticDermoscopy(SyntheticDermoscopy.Config(images=3, seed=999))
    path = tmp_path_factory.mktemp("photograph") / "new lesion.png"
    path.write_bytes(dataset.image_bytes(dataset.samples()[2]))
    return path


@dataclass
class Spied:
    """A run, the samples of each step's micro-batches and the trained weights before the first step."""

    folder: Path = Path()
    steps: list[list[list[str]]] = field(default_factory=list)
    start: dict[str, Any] = field(default_factory=dict)


@contextmanager
def spy() -> Iterator[Spied]:
    import skinframe.train.training_loop as loop

    seen, real = Spied(), loop.run_step

    def recorded(accelerator: Any, model: Any, objective: Any, batches: Any, ids: Any, *rest: Any, **more: Any) -> Any:
        if not seen.start:
            seen.start = model.trained_state()
        seen.steps.append([list(names) for names in ids])
        return real(accelerator, model, objective, batches, ids, *rest, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "run_step", recorded)
        yield seen


@pytest.fixture(scope="session")
def one_epoch(small: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Spied]:
    """Return a function that makes a one-epoch run of the small recipe."""

    def make(*overrides: str, **more: Any) -> Spied:
        with spy() as seen:
            seen.folder = small.run(tmp_path_factory.mktemp("out"), "train.epochs=1", *overrides, **more).folder
        return seen

    return make


@pytest.fixture(scope="session")
def full(one_epoch: Callable[..., Spied]) -> Spied:
    return one_epoch()


@pytest.fixture(scope="session")
def without_alignment(one_epoch: Callable[..., Spied]) -> Spied:
    return one_epoch(without=["losses.alignment"])
