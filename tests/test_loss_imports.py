"""A loss term and all that it imports need torch and numpy alone, so that a loss can be used in any training code."""

from __future__ import annotations

import subprocess
import sys

import pluggy

import skinframe

# Blocks every installed package but torch, numpy and what these require, then calls every loss of skinframe-cfa.
CODE = """
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
import re

allowed, todo = {"skinframe", "skinframe-cfa"}, ["torch", "numpy"]
while todo:
    name = re.sub("[-_.]+", "-", todo.pop()).lower()
    if name not in allowed:
        allowed.add(name)
        try:
            found = [r for r in requires(name) or () if "extra ==" not in r]
        except PackageNotFoundError:
            continue
        todo += [re.match("[A-Za-z0-9._-]+", r)[0] for r in found]
owners = {
    top: {re.sub("[-_.]+", "-", name).lower() for name in names} for top, names in packages_distributions().items()
}

class Blocker:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top in owners and not owners[top] & allowed:
            raise ModuleNotFoundError(f"blocked: {name}", name=name)

sys.meta_path.insert(0, Blocker())
for name in ("pluggy", "pydantic", "omegaconf", "yaml", "pyarrow", "scipy", "sklearn", "accelerate"):
    try:
        __import__(name)
    except ModuleNotFoundError as error:
        assert "blocked" in str(error), error
    else:
        raise AssertionError(f"{name} was not blocked")

import torch
from torch.nn.functional import normalize
import skinframe
import skinframe.components.loss
from skinframe.signals import needs
import skinframe_cfa

assert skinframe.hookimpl and skinframe.upcast
SIZES = dict(B=4, C=3, A=2, P=5, V=6, D=6, H=6, W=4, S=3, T=6, L=7)
TOP = {"labels": 3, "text_ids": 4, "sample_ids": 4, "site_ids": 2, "attributes": 2, "rationale_targets": 7}
random = torch.Generator().manual_seed(1)

def drawn(signal):
    shape = [SIZES[letter] for letter in signal.dims.split()]
    if signal.name in TOP:
        made = torch.randint(TOP[signal.name], shape, generator=random)
        return made if signal.kind == "int" else made.float()
    if signal.kind == "int":
        return torch.full(shape, 7)
    made = torch.randn(shape, generator=random)
    if signal.dims.endswith("W"):
        made = normalize(made, dim=-1)
    if signal.name == "lesion_cover":
        made = made.abs().clamp(max=1)
    if signal.name == "logit_scale":
        made = torch.tensor(10.0)
    return made.requires_grad_()

count = 0
for kind in skinframe_cfa.register_losses():
    loss = kind()
    value = loss.forward(**{need.parameter: drawn(need.signal) for need in needs(kind.forward)})
    value.backward()
    assert torch.isfinite(value), kind.name
    count += 1
print(count)
"""


def test_every_loss_is_imported_and_called_with_torch_and_numpy_alone() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 28


def test_our_mark_is_the_one_that_pluggy_sets() -> None:
    def ours() -> None: ...

    def theirs() -> None: ...

    skinframe.hookimpl(ours)
    pluggy.HookimplMarker("skinframe")(theirs)
    assert ours.skinframe_impl == theirs.skinframe_impl  # type: ignore[attr-defined]
    skinframe.hookimpl(optionalhook=True)(ours)
    pluggy.HookimplMarker("skinframe")(optionalhook=True)(theirs)
    assert ours.skinframe_impl == theirs.skinframe_impl  # type: ignore[attr-defined]
    assert ours.skinframe_impl["optionalhook"] is True  # type: ignore[attr-defined]


def test_every_public_name_is_there_and_every_verb_is_lazy() -> None:
    assert all(getattr(skinframe, name) is not None for name in skinframe.__all__)
    assert dir(skinframe) == sorted(skinframe.__all__)
    code = "import sys, skinframe; assert 'skinframe.verbs' not in sys.modules; skinframe.run"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
