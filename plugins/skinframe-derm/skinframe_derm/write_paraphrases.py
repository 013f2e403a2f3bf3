"""Fill a file of paraphrases: `python -m skinframe_derm.write_paraphrases --model FOLDER --cache FILE RECIPE`.

One request at a time, greedy, in float32: batching and sampling would make the bytes depend on their company.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import skinframe
from skinframe.sample import Sample
from skinframe_derm import paraphrase_file
from skinframe_derm.clinical_template import ClinicalTemplate
from skinframe_derm.local_llm_descriptions import LocalLlm

INSTRUCTION = "Say the following in other words, in one sentence. Keep every medical term as it is.\n{text}\n"
TOKENS = 96
FLOOR = (5, 3)  # of transformers; older releases ran code that a config.json named


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 over the names and bytes of a model folder's files."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.iterdir() if path.is_file()):
        with path.open("rb") as file:
            total.update(f"{path.name} {hashlib.file_digest(file, 'sha256').hexdigest()}\n".encode())
    return total.hexdigest()


def writer(folder: Path, max_new_tokens: int = TOKENS) -> tuple[paraphrase_file.Made, Callable[[str], str]]:
    """Return what makes the paraphrases, and the function from a text to its paraphrase. Raises DataError."""
    try:
        found = version("transformers")
        if tuple(int(part) for part in re.findall(r"\d+", found)[:2]) < FLOOR:
            raise skinframe.DataError(
                f"transformers: version {found} is below {FLOOR[0]}.{FLOOR[1]}; pip install 'skinframe-derm[llm]'"
            )
        import torch
        import transformers
    except ImportError:
        raise skinframe.DataError("paraphrasing needs transformers: pip install 'skinframe-derm[llm]'") from None
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        # a tool run by hand over a model of the user's own choice: its code is off, its weights are safetensors
        tokenizer: Any = transformers.AutoTokenizer.from_pretrained(folder, **options)  # noqa: TID251
        loaded: Any = transformers.AutoModelForCausalLM  # noqa: TID251
        model = loaded.from_pretrained(folder, dtype=torch.float32, use_safetensors=True, **options).eval()
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())[:160]
        raise skinframe.DataError(f"{folder}: not a local text model in the Hugging Face layout: {reason}") from None
    engine = f"transformers {transformers.__version__}, torch {torch.__version__}, cpu float32"
    made = paraphrase_file.Made(
        model=folder_digest(folder), engine=engine, instruction=INSTRUCTION, max_new_tokens=max_new_tokens
    )

    @torch.inference_mode()
    def write(text: str) -> str:
        asked = INSTRUCTION.format(text=text)
        if tokenizer.chat_template:
            turn = [{"role": "user", "content": asked}]
            asked = tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
        tokens = tokenizer(asked, return_tensors="pt")
        limits = {"do_sample": False, "num_beams": 1, "max_new_tokens": max_new_tokens}
        found = model.generate(**tokens, **limits, pad_token_id=tokenizer.eos_token_id)
        answer: str = tokenizer.decode(found[0, tokens["input_ids"].shape[1] :], skip_special_tokens=True)
        return " ".join(answer.split())

    return made, write


def fill(
    cache: Path,
    folder: Path,
    samples: Iterable[Sample],
    classes: Sequence[str],
    attributes: Sequence[str],
    template: ClinicalTemplate | None = None,
) -> tuple[int, int]:
    """Write the paraphrase of every distinct description; return how many there are and how many will be used."""
    template = template or ClinicalTemplate()
    wanted: dict[str, tuple[str, ...]] = {}
    for sample in samples:
        wanted.setdefault(
            template.description(sample, classes, attributes), template.slots(sample, classes, attributes)
        )
    made, write = writer(folder)
    known: dict[str, str] = {}
    if cache.is_file():
        before, entries = paraphrase_file.read(cache)
        known = entries if before == made else {}
    paraphrases = {text: known[text] if text in known else write(text) for text in sorted(wanted)}
    paraphrase_file.write(cache, made, {**known, **paraphrases})
    used = [
        t for t in paraphrases if paraphrase_file.rejected(t, paraphrases[t], wanted[t], template.forbidden) is None
    ]
    return len(paraphrases), len(used)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m skinframe_derm.write_paraphrases")
    parser.add_argument("recipe")
    parser.add_argument("--model", type=Path, required=True, help="folder of a local text model")
    parser.add_argument("--cache", type=Path, required=True, help="the file of paraphrases")
    parser.add_argument("--set", action="append", default=[], help="as in skinframe run, e.g. data.use=isic2019")
    given = parser.parse_args()
    try:
        parts = skinframe.plan(given.recipe, overrides=given.set).parts
        data, prompt = parts.dataset, parts.prompt
        template = prompt.template if isinstance(prompt, LocalLlm) else prompt
        if not isinstance(template, ClinicalTemplate):
            raise skinframe.DataError(f"prompt '{prompt.name}' writes nothing to paraphrase; use clinical_template")
        total, used = fill(given.cache, given.model, data.samples(), data.classes, data.attributes, template)
    except skinframe.SkinframeError as error:
        print(f"skinframe: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{given.cache}: {total} descriptions, {used} paraphrased, {total - used} kept as the template has them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
