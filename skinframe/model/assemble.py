"""Former names of `model.module`, until the last caller is moved."""

from skinframe.model.module import Model as Assembled
from skinframe.model.module import build_model as assemble

__all__ = ["Assembled", "assemble"]
