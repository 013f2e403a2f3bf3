"""The engine's version, in a module that imports nothing: the plan, the catalog and the report all name it."""

__version__ = "0.1.0"
