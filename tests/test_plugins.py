"""Finding and loading plugins: absent, broken, misspelt, clashing; installed ones stay unimported."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import skinframe.plugins as plugins
from skinframe import aliases
from skinframe.catalog import Origin
from skinframe.errors import RecipeError

LOSS = """
import skinframe
from skinframe.signals import Labels, Logits

class Mine(skinframe.Loss):
    name = "{name}"
    coupling = "per_sample"
    def forward(self, logits: Logits, labels: Labels): ...

@skinframe.hookimpl
def {hook}({arguments}):
    return {value}
"""


@pytest.fixture
def file(tmp_path: Path):  # type: ignore[no-untyped-def]
    def write(name: str = "mine", hook: str = "register_losses", value: str = "[Mine]", arguments: str = "") -> Path:
        path = tmp_path / "my_loss.py"
        path.write_text(LOSS.format(name=name, hook=hook, value=value, arguments=arguments))
        return path

    return write


def test_every_first_party_plugin_loads_and_clashes_with_none() -> None:
    catalog = plugins.load(plugins.installed())
    assert {"focal", "soft_ece", "region_alignment", "rationale", "cross_entropy"} <= set(catalog.names("loss"))
    assert {"open_clip", "timm"} <= set(catalog.names("encoder"))
    assert {"synthetic_dermoscopy", "ham10000", "table"} <= set(catalog.names("dataset"))
    assert catalog.names("reasoner") == ["llava", "qwen2_5_vl", "qwen3_vl"]
    assert not catalog.broken


def test_a_first_party_plugin_that_is_absent_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "installed", dict)
    with pytest.raises(RecipeError, match=r"'cfa' is not installed; run `pip install skinframe-cfa`"):
        plugins.load(["cfa"])


def test_a_misspelt_plugin_gets_a_hint() -> None:
    with pytest.raises(RecipeError, match="no plugin 'qwne' is installed; did you mean 'qwen'"):
        plugins.load(["qwne"])


def test_a_broken_installed_plugin_stops_only_those_who_name_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "skinframe_odd.py").write_text("raise OSError('no such library')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = EntryPoint("odd", "skinframe_odd", "skinframe")
    known = {**plugins.installed(), "odd": plugins.Installed("odd", entry, Origin("odd", "skinframe-odd", "1"))}
    monkeypatch.setattr(plugins, "installed", lambda: known)
    assert "focal" in plugins.load(["cfa"]).names("loss")
    with pytest.raises(RecipeError, match="plugin 'odd' failed to load: OSError: no such library"):
        plugins.load(["cfa", "odd"])


def test_listing_survives_a_broken_plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import skinframe.installed_components as inventory

    (tmp_path / "skinframe_odder.py").write_text("raise SyntaxError('half a file')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    entry = EntryPoint("odder", "skinframe_odder", "skinframe")
    known = {**plugins.installed(), "odder": plugins.Installed("odder", entry, Origin("odder", "skinframe-odder", "1"))}
    monkeypatch.setattr(plugins, "installed", lambda: known)
    monkeypatch.setattr(inventory, "installed", lambda: known)
    text = inventory.components([])
    assert "focal" in text
    assert "not loaded: plugin 'odder' failed to load: SyntaxError: half a file" in text
    assert "focal" in inventory.describe("focal")


def test_a_plugin_file_is_known_by_its_digest(file) -> None:  # type: ignore[no-untyped-def]
    catalog = plugins.load([], [file()])
    assert str(catalog.find("loss", "mine").origin).startswith("my_loss.py sha256:")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"hook": "register_loss"}, "there is no hook 'register_loss'; did you mean 'register_losses'"),
        (
            {"arguments": "engine"},
            r"'file:my_loss\.py': register_losses\(engine\) Argument.*engine.*not be found",
        ),
        ({"value": "[int]"}, "is not a component class"),
        ({"value": "None"}, "register_losses.*expected a list of component classes"),
        ({"value": "Mine"}, "register_losses.*expected a list of component classes"),
        ({"value": "1 / 0"}, "register_losses.*ZeroDivisionError"),
        ({"name": "focal"}, r"two plugins register the loss 'focal': skinframe-cfa .*focal\.py\) and .*/my_loss\.py\)"),
    ],
)
def test_a_wrong_plugin_file(file, change: dict[str, str], message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(RecipeError, match=message) as found:
        plugins.load(["cfa"], [file(**change)])
    assert len(str(found.value).splitlines()) == 2  # how many problems, and the one


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise RuntimeError('of its own')", r"RuntimeError: of its own"),
        ("def f(:\n", "SyntaxError"),
        ("import a_module_that_is_not_there", "ModuleNotFoundError"),
        ("import sys; sys.exit(3)", "SystemExit"),
        ("x = 1\n", "registers nothing"),
    ],
)
def test_a_plugin_file_that_does_not_load(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "odd.py"
    path.write_text(text)
    with pytest.raises(RecipeError, match=message) as found:
        plugins.load([], [path])
    assert "odd.py" in str(found.value)


def test_a_plugin_file_that_is_not_there_or_no_python(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no such file"):
        plugins.load([], [tmp_path / "none.py"])
    (tmp_path / "notes.txt").write_text("x = 1")
    with pytest.raises(RecipeError, match="is not a Python file"):
        plugins.load([], [tmp_path / "notes.txt"])


def test_two_files_of_the_same_name_are_two_plugins(file, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    other = tmp_path / "other" / "my_loss.py"
    other.parent.mkdir()
    other.write_text(LOSS.format(name="theirs", hook="register_losses", value="[Mine]", arguments=""))
    with pytest.raises(RecipeError, match=r"two plugin files are named 'my_loss\.py'"):
        plugins.load([], [file(), other])


def test_every_unknown_hook_is_named_and_an_optional_one_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "odd.py"
    path.write_text(
        "import skinframe\n"
        "@skinframe.hookimpl\ndef register_loss(): return []\n"
        "@skinframe.hookimpl\ndef register_heds(): return []\n"
        "@skinframe.hookimpl(optionalhook=True)\ndef register_dreams(): return 1 / 0\n"
    )
    with pytest.raises(RecipeError) as found:
        plugins.load([], [path])
    assert "no hook 'register_loss'; did you mean 'register_losses'?" in str(found.value)
    assert "no hook 'register_heds'; did you mean 'register_heads'?" in str(found.value)
    assert "dreams" not in str(found.value)


def test_two_distributions_with_one_plugin_name_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("skinframe_odd", "their_odd"):
        folder = tmp_path / f"{name}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
        (folder / "entry_points.txt").write_text("[skinframe]\nodd = json\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    message = "two distributions provide the plugin 'odd': skinframe-odd 1.0 and their-odd 1.0; uninstall one"
    with pytest.raises(RecipeError, match=message):
        plugins.load(["odd"])
    plugins.load(["cfa"])  # who does not name it is not stopped


def test_an_old_name_of_a_plugin_still_loads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aliases, "PLUGINS", {"cross_field_alignment": "cfa", "clip": "nothing"})
    catalog = plugins.load(["cross_field_alignment", "cfa", "clip"])
    assert set(catalog.origins) == {"skinframe", "cfa", "clip"}  # and the name of an installed plugin is its own


def test_an_old_name_of_a_component_still_finds_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aliases, "COMPONENTS", {("loss", "focal_loss"): "focal", ("loss", "mmce"): "brier"})
    catalog = plugins.load(["cfa"])
    assert catalog.find("loss", "focal_loss").component.name == "focal"
    assert catalog.find("loss", "mmce").component.name == "mmce"
    with pytest.raises(LookupError, match="no head named 'focal_loss'"):
        catalog.find("head", "focal_loss")


def test_an_installation_without_the_engine_s_components_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: [])
    with pytest.raises(RecipeError, match=r"own components are not registered by this installation; reinstall it"):
        plugins.load([])


def test_listing_imports_no_plugin() -> None:
    code = (
        "import sys; from skinframe.plugins import installed; installed();"
        "found = [m for m in sys.modules if m.startswith('skinframe_') or m in ('torch', 'transformers', 'open_clip')];"
        "assert not found, found"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
