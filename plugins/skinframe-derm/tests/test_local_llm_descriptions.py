"""Paraphrases by a tiny real text model, saved to disk and read back: greedy, cached by content, slot-checked."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from skinframe_derm import ClinicalTemplate, LocalLlm, paraphrase_file
from skinframe_derm.write_paraphrases import INSTRUCTION, fill, main, writer

import skinframe
from skinframe import DataError, Sample

CLASSES = ("mel", "nv")
SAMPLES = [Sample(id=f"s{n}", image=f"{n}.png", label=n % 2) for n in range(4)]
TEXT = ClinicalTemplate().description(SAMPLES[0], CLASSES, ())
SAID = "a melanoma under the dermatoscope, shown by asymmetric pattern, atypical network and blue-whitish veil"


def tiny(folder: Path, taught: str | None) -> Path:
    """A Llama of one layer and 50,000 weights; `taught` makes it learn one paraphrase of TEXT by heart."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["</s>"], initial_alphabet=alphabet)
    tokenizer.train_from_iterator([TEXT, SAID, INSTRUCTION], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", pad_token="</s>")  # noqa: S106
    fast.save_pretrained(folder)
    sizes = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 4}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: Any = LlamaForCausalLM(LlamaConfig(vocab_size=len(fast), eos_token_id=0, bos_token_id=0, **sizes))
        if taught is not None:
            asked = fast(INSTRUCTION.format(text=TEXT))["input_ids"]
            tokens = torch.tensor([[*asked, *fast(taught)["input_ids"], 0]])
            labels = tokens.clone()
            labels[:, : len(asked)] = -100
            optimiser = torch.optim.AdamW(model.parameters(), lr=1e-2)
            for _ in range(60):
                optimiser.zero_grad()
                model(input_ids=tokens, labels=labels).loss.backward()
                optimiser.step()
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def untaught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("untaught"), None)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny(tmp_path_factory.mktemp("taught"), SAID)


def prompt(cache: Path) -> LocalLlm:
    return LocalLlm(LocalLlm.Config(cache=str(cache)))


def test_what_a_model_says_well_is_used(taught: Path, tmp_path: Path) -> None:
    cache = tmp_path / "said.jsonl"
    assert fill(cache, taught, SAMPLES[:1], CLASSES, ()) == (1, 1)
    assert prompt(cache).description(SAMPLES[0], CLASSES, ()) == SAID
    again = tmp_path / "again.jsonl"
    fill(again, taught, SAMPLES[:1], CLASSES, ())
    assert again.read_bytes() == cache.read_bytes()
    assert prompt(again).digest() == prompt(cache).digest()


def test_what_a_model_says_badly_is_not_used(untaught: Path, tmp_path: Path) -> None:
    cache = tmp_path / "said.jsonl"
    assert fill(cache, untaught, SAMPLES, CLASSES, ()) == (2, 0)
    for sample in SAMPLES:
        assert prompt(cache).description(sample, CLASSES, ()) == ClinicalTemplate().description(sample, CLASSES, ())


def test_a_filled_cache_asks_the_model_for_nothing(
    taught: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import transformers

    cache = tmp_path / "said.jsonl"
    fill(cache, taught, SAMPLES, CLASSES, ())
    before = cache.read_bytes()

    def asked(*words: object, **more: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr(transformers.LlamaForCausalLM, "generate", asked)
    fill(cache, taught, SAMPLES, CLASSES, ())
    assert cache.read_bytes() == before


def test_another_model_is_another_address(taught: Path, untaught: Path) -> None:
    made, other = (writer(folder)[0] for folder in (taught, untaught))
    assert made.model != other.model
    assert made.key(TEXT) != other.key(TEXT)
    assert made.key(TEXT) == writer(taught)[0].key(TEXT)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (SAID, None),
        (SAID.replace("veil", "haze"), "lost blue-whitish veil"),
        (SAID + ", proved by biopsy", "added biopsy"),
        (SAID + ", not a nevus", "added nevus"),
        (SAID + "\nand more", "is not one line"),
        (SAID + "<|im_end|>", "holds a control token"),
        ("", "is not one line"),
        (SAID + " very" * 200, "is not one line of 1 to 600"),
    ],
)
def test_slots_and_lexicon(said: str, reason: str | None) -> None:
    template = ClinicalTemplate()
    found = paraphrase_file.rejected(TEXT, said, template.slots(SAMPLES[0], CLASSES, ()), template.forbidden)
    assert (found is None) if reason is None else (found or "").startswith(reason)


def test_an_edited_file_is_refused(taught: Path, tmp_path: Path) -> None:
    cache = tmp_path / "said.jsonl"
    fill(cache, taught, SAMPLES, CLASSES, ())
    whole = cache.read_text()
    cache.write_text(re.sub(r'"text": "a ', '"text": "A ', whole, count=1))
    with pytest.raises(DataError, match=r"said\.jsonl line 2: its key is not that of its text"):
        prompt(cache).description(SAMPLES[0], CLASSES, ())
    for content in ("", "{}", "[]\n", whole[:40], '{"format": "other"}'):
        cache.write_text(content)
        with pytest.raises(DataError, match="not a file of paraphrases"):
            prompt(cache).digest()
    cache.write_text(whole)
    with pytest.raises(DataError, match="has no paraphrase of 'a dermoscopic image of scc"):
        prompt(cache).description(Sample(id="x", image="x.png", label=0), ("scc?",), ())


def test_it_is_off_until_a_file_is_named(tmp_path: Path) -> None:
    (need,) = LocalLlm().missing()
    assert "python -m skinframe_derm.write_paraphrases" in need.next_step
    with pytest.raises(DataError, match="no file of paraphrases given"):
        LocalLlm().description(SAMPLES[0], CLASSES, ())
    with pytest.raises(DataError, match="not a local text model"):
        writer(tmp_path)


def test_the_command_fills_the_file_of_a_recipe(
    untaught: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, cache = Path(__file__).resolve().parents[3] / "recipes" / "cfa_full.yaml", tmp_path / "c.jsonl"
    words = ["paraphrase", str(recipe), "--set", "data.config.images=6", "--cache", str(cache), "--model"]
    monkeypatch.setattr(sys, "argv", [*words, str(untaught)])
    assert main() == 0
    assert " descriptions, 0 paraphrased, " in capsys.readouterr().out
    chosen = ["data.config.images=6", "prompt.use=local_llm", f"prompt.config.cache={cache}"]
    assert skinframe.plan(recipe, overrides=chosen).identity["prompt.digest"] == prompt(cache).digest()
    monkeypatch.setattr(sys, "argv", [*words, str(tmp_path)])
    assert main() == 3
    assert capsys.readouterr().err.startswith("skinframe: ")


def test_an_old_transformers_is_refused_before_the_model_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import skinframe_derm.write_paraphrases as paraphrase

    monkeypatch.setattr(paraphrase, "version", lambda name: "5.2.9")
    with pytest.raises(DataError, match=r"transformers: version 5\.2\.9 is below 5\.3; pip install"):
        writer(tmp_path)
