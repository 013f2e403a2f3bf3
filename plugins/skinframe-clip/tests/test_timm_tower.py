"""timm towers: shapes and counts against timm itself, torchvision's names, and the real ImageNet weights."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from skinframe_clip import Timm
from skinframe_clip.timm_encoder import KNOWN

from skinframe import DataError, RecipeError

SHARED = Path(__file__).parents[4] / "shared" / "weights"
LITE0 = "efficientnet_lite0_imagenet.safetensors"
MOBILENET = "mobilenet_v2_features_imagenet.safetensors"


@pytest.fixture
def weights():
    if not (SHARED / LITE0).is_file():
        pytest.skip("the real ImageNet weights do not stand beside this project (../shared/weights)")
    return SHARED


def pictures():
    from sklearn.datasets import load_sample_images

    return [Image.fromarray(picture) for picture in load_sample_images().images]  # a palace, a flower


@pytest.mark.parametrize("architecture", KNOWN)
@pytest.mark.parametrize("size", [64, 150])
def test_known_rows_are_what_timm_says(architecture, size):
    import timm

    with torch.device("meta"):
        model = timm.create_model(architecture, num_classes=0).eval()
        features = model.forward_features(torch.empty(1, 3, size, size))
    component = Timm(Timm.Config(weights="absent", architecture=architecture, image_size=size))
    assert component.provides()["image_tokens"] == (features.shape[2] * features.shape[3], features.shape[1])
    assert (model.pretrained_cfg["mean"], model.pretrained_cfg["std"]) == (
        KNOWN[architecture].mean,
        KNOWN[architecture].std,
    )


def test_torchvision_names_are_the_same_network(tmp_path):
    from torchvision.models import mobilenet_v2

    torch.manual_seed(3)
    original = mobilenet_v2().eval()
    save_file({k: v for k, v in original.state_dict().items() if k.startswith("features")}, tmp_path / "w.safetensors")
    component = Timm(
        Timm.Config(weights=str(tmp_path / "w.safetensors"), architecture="mobilenetv2_100", image_size=64)
    )
    tower = component.load("cpu")
    pixels = torch.randn(2, 3, 64, 64)
    with torch.inference_mode():
        torch.testing.assert_close(tower.model.forward_features(pixels), original.features(pixels))


def test_tokens_are_cells_and_the_embedding_their_mean(tmp_path):
    import timm

    save_file(timm.create_model("resnet18", num_classes=10).state_dict(), tmp_path / "r.safetensors")
    out, pooled = (
        Timm(Timm.Config(weights=str(tmp_path / "r.safetensors"), architecture="resnet18", image_size=96, grid=grid))
        .load("cpu")
        .images(pictures())
        for grid in (None, 1)
    )
    assert out["image_tokens"].shape == (2, 9, 512)
    torch.testing.assert_close(out["image_tokens"].mean(1), out["image_embedding"], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(pooled["image_tokens"][:, 0], out["image_embedding"])


def test_absent_or_wrong_weights_are_explained(tmp_path):
    absent = Timm(Timm.Config(weights=str(tmp_path / "no.safetensors")))
    assert "encoders.<name>.config.weights" in absent.missing()[0].next_step
    with pytest.raises(RecipeError, match="no such weights"):
        absent.load("cpu")
    save_file({"conv_stem.weight": torch.zeros(3)}, tmp_path / "bad.safetensors")
    with pytest.raises(DataError, match="not a checkpoint of tf_efficientnet_lite0"):
        Timm(Timm.Config(weights=str(tmp_path / "bad.safetensors"))).load("cpu")


@pytest.mark.parametrize(
    "options", [{"architecture": "vit"}, {"image_size": 8}, {"grid": 8}, {"grid": 0}, {"fit": "x"}]
)
def test_timm_options_out_of_range(options):
    with pytest.raises(ValueError, match="must be"):
        Timm.Config(weights="w", **options)


def test_lite0_count_is_the_whole_tower():
    import timm

    (row,) = Timm(Timm.Config(weights="absent")).modules()
    model = timm.create_model("tf_efficientnet_lite0")
    head = model.classifier.weight.numel() + model.classifier.bias.numel()
    assert row.parameters == sum(p.numel() for p in model.parameters()) - head
    assert 0.7e9 < row.flops_per_sample < 0.9e9  # about 0.4 G multiply-adds (the paper's figure for Lite0)


@pytest.mark.shared
def test_real_lite0_recognises_the_palace_and_the_flower(weights):
    """ImageNet classes: 698 palace, 985 daisy. The classifier comes from the same file as the features."""
    tower = Timm(Timm.Config(weights=str(weights / LITE0))).load("cpu")
    state = load_file(weights / LITE0)
    pooled = tower.images(pictures())["image_embedding"]
    logits = pooled @ state["classifier.weight"].T + state["classifier.bias"]
    assert logits.argmax(1).tolist() == [698, 985]


@pytest.mark.shared
@pytest.mark.parametrize(("architecture", "file"), [("tf_efficientnet_lite0", LITE0), ("mobilenetv2_100", MOBILENET)])
def test_real_features_repeat_and_tell_images_apart(weights, architecture, file):
    config = Timm.Config(weights=str(weights / file), architecture=architecture, image_size=160, fit="longest")
    first, second = (Timm(config).load("cpu").images(pictures()) for _ in range(2))
    for name, value in first.items():
        assert torch.equal(value, second[name])
        assert np.isfinite(value.numpy()).all()
    left, right = torch.nn.functional.normalize(first["image_embedding"], dim=-1)
    assert left @ right < 0.9


@pytest.mark.shared
def test_real_mobilenet_keys_all_match(weights):
    import timm
    from skinframe_clip._timm_modules import timm_keys

    state = timm_keys(load_file(weights / MOBILENET))
    assert set(state) == set(timm.create_model("mobilenetv2_100", num_classes=0).state_dict())
