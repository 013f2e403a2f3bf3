"""The reasoner and its own eyes keep their contracts, on a tiny random checkpoint of the real classes."""

from __future__ import annotations

from skinframe_vlm import Qwen25VL, QwenVision
from skinframe_vlm.options import Lora

from skinframe.testing import encoder_contract, reasoner_contract


@reasoner_contract()
def test_reasoner(check, checkpoint):
    check(Qwen25VL(Qwen25VL.Config(model=str(checkpoint), lora=Lora(r=4))))


@encoder_contract()
def test_vision(check, checkpoint):
    check(QwenVision(QwenVision.Config(model=str(checkpoint), size=112)))
