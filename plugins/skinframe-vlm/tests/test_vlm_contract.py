"""Every reasoner and its own eyes pass the contract of their kind, on tiny random checkpoints of the real classes."""

from __future__ import annotations

from skinframe_vlm import Llava, LlavaVision, Qwen3VL, Qwen3VLVision, Qwen25VL, QwenVision
from skinframe_vlm.reasoner_options import Lora

from skinframe.testing import encoder_contract, reasoner_contract


@reasoner_contract()
def test_reasoner(check, checkpoint):
    check(Qwen25VL(Qwen25VL.Config(model=str(checkpoint), lora=Lora(r=4))))


@reasoner_contract()
def test_qwen3_vl(check, qwen3_vl):
    config = Qwen3VL.Config(model=str(qwen3_vl), lora=Lora(r=4), vision="both", native_size=128)
    check(Qwen3VL(config))


@reasoner_contract()
def test_llava(check, llava):
    check(Llava(Llava.Config(model=str(llava), lora=Lora(r=4))))


@encoder_contract()
def test_vision(check, checkpoint):
    check(QwenVision(QwenVision.Config(model=str(checkpoint), size=112)))


@encoder_contract()
def test_qwen3_vl_vision(check, qwen3_vl):
    check(Qwen3VLVision(Qwen3VLVision.Config(model=str(qwen3_vl), size=128, aspect="keep")))


@encoder_contract()
def test_llava_vision(check, llava):
    check(LlavaVision(LlavaVision.Config(model=str(llava), size=56)))
