"""YAML, parents, presets and overrides become one typed recipe. Looks up no component."""

from skinframe.recipe.load_recipe import load_recipe
from skinframe.recipe.recipe_schema import LossPart, Part, Recipe

__all__ = ["LossPart", "Part", "Recipe", "load_recipe"]
