"""YAML, parents, presets and overrides become one typed recipe. Looks up no component."""

from skinframe.recipe.load import load_recipe
from skinframe.recipe.schema import LossPart, Part, Recipe

__all__ = ["LossPart", "Part", "Recipe", "load_recipe"]
