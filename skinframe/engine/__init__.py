"""Where the rooms meet: the whole path from a recipe to a report."""
