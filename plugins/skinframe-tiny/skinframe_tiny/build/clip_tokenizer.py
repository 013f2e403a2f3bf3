"""A byte-level BPE of a few hundred tokens for the tiny CLIP, in the Hugging Face folder format."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from skinframe_tiny.build.captions import OPENINGS, PHRASES, describe, facts
from skinframe_tiny.patients import photographs

PAD, START, END = "<|pad|>", "<|startoftext|>", "<|endoftext|>"


def write_tokenizer(folder: Path, seed: int, vocabulary: int, context: int) -> None:
    """Train on captions of the data of `seed` and write `tokenizer.json` and `tokenizer_config.json`.

    The end token gets the highest id, because open_clip's text tower pools at the argmax of the ids, as CLIP does.
    """
    rng = np.random.default_rng(seed)
    texts = [describe(rng, held).text for held in facts(photographs(seed, 3000))]
    texts += list(itertools.chain(*PHRASES, OPENINGS)) * 20
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - 1,
        special_tokens=[PAD, START],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([END])
    ids = {token: tokenizer.token_to_id(token) for token in (START, END)}
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=list(ids.items())
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": PAD,
        "bos_token": START,
        "eos_token": END,
        "model_max_length": context,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
