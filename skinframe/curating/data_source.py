"""The input of a data command: the data part of a recipe, or a data set by name. Loads no torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from skinframe.components import Dataset, Encoder, Prompt
from skinframe.data.manifest import check_samples
from skinframe.errors import Problem, RecipeError
from skinframe.planning.load_plan import plan_of
from skinframe.planning.resolve_components import build
from skinframe.plugins import installed, load
from skinframe.recipe import recipe_schema
from skinframe.recipe.load_recipe import apply_override
from skinframe.recipe.shipped_recipes import is_recipe
from skinframe.recipe.typed_dataclasses import typed
from skinframe.sample import Sample


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """A data set with how it is to be split, and the prompt and encoders where a recipe names them."""

    name: str
    dataset: Dataset
    seed: int = 0
    split: recipe_schema.SplitOptions = field(default_factory=recipe_schema.SplitOptions)
    accept: tuple[str, ...] = ()
    images: recipe_schema.Images = field(default_factory=recipe_schema.Images)
    prompt: Prompt | None = None
    encoders: dict[str, Encoder] = field(default_factory=dict)

    def samples(self) -> Sequence[Sample]:
        """Return the checked samples. Raises DataError with every problem, or naming what is missing."""
        dataset = self.dataset
        samples = list(dataset.samples())
        check_samples(samples, dataset.fields, dataset.classes, dataset.attributes)
        return samples

    def question(self) -> Callable[[Sample], str]:
        """Return the text that a model would be asked of a sample; without a prompt, its metadata as words."""
        prompt, fields = self.prompt, self.dataset.fields
        if prompt is not None:
            return lambda sample: prompt.question(sample, fields).user
        return lambda sample: " ".join(f"{name} {value}" for name, value in sample.metadata.items())

    def forbidden(self) -> tuple[str, ...]:
        """Return the words that would tell the answer: the prompt's, and the names of the classes."""
        own = self.prompt.telling_words() if self.prompt is not None else ()
        return tuple(dict.fromkeys([*own, *(name for name in self.dataset.classes if len(name) > 2)]))


@dataclass(frozen=True, kw_only=True)
class DataRecipe:
    """The part of a recipe that a data set by its name has."""

    data: recipe_schema.Part
    seed: int = 0
    split: recipe_schema.SplitOptions = field(default_factory=recipe_schema.SplitOptions)
    audit: recipe_schema.AuditOptions = field(default_factory=recipe_schema.AuditOptions)
    images: recipe_schema.Images = field(default_factory=recipe_schema.Images)


def source_of(
    source: str,
    presets: Sequence[str] = (),
    overrides: Sequence[str] = (),
    plugins: Sequence[str | Path] = (),
) -> DataSource:
    """Return what a recipe file or a data set's name stands for; both take the same paths in `--set`.

    Raises RecipeError with every problem at once.
    """
    if is_recipe(source):
        plan = plan_of(source, presets, overrides, (), plugins)
        recipe, parts = plan.recipe, plan.parts
        return DataSource(
            name=recipe.data.use,
            dataset=parts.dataset,
            seed=recipe.division_seed,
            split=recipe.split,
            accept=tuple(recipe.audit.accept),
            images=recipe.images,
            prompt=parts.prompt,
            encoders=dict(parts.encoders),
        )
    if presets:
        raise RecipeError(source, [Problem("--preset", "a preset is laid over a recipe, and this is a data set")])
    return _named(source, overrides, plugins)


def other_source(text: str, plugins: Sequence[str | Path] = ()) -> DataSource:
    """Return the source that 'NAME,option=value,…' or a recipe file stands for. Raises RecipeError."""
    name, *options = text.split(",")
    return source_of(name, (), [f"data.config.{option}" for option in options], plugins)


def _named(name: str, overrides: Sequence[str], plugins: Sequence[str | Path]) -> DataSource:
    data: dict[str, Any] = {"data": {"use": name, "config": {}}}
    problems = [problem for override in overrides for problem in apply_override(data, override)]
    recipe, more_problems = typed(DataRecipe, data, "")
    problems += more_problems
    if recipe is None or problems:
        raise RecipeError(name, problems)
    catalog = load(sorted(installed()), [Path(plugin) for plugin in plugins], name)
    dataset, more_problems = build(Dataset, recipe.data, "data", catalog)  # type: ignore[type-abstract]
    if dataset is None:
        raise RecipeError(name, more_problems)
    accept = tuple(recipe.audit.accept)
    seed = recipe.seed if recipe.split.seed is None else recipe.split.seed
    return DataSource(name=name, dataset=dataset, seed=seed, split=recipe.split, accept=accept, images=recipe.images)
