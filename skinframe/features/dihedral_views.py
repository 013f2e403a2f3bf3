"""The eight dihedral views of an image (flips and quarter turns): dermoscopy has no upright orientation."""

from __future__ import annotations

from PIL.Image import Image, Transpose

# The order is part of the meaning of every cache key: the original first, then views that keep the aspect ratio, then
# those that swap the sides. Appending is allowed; reordering needs a higher `shards.SCHEMA`.
STEPS = (
    None,
    Transpose.FLIP_LEFT_RIGHT,
    Transpose.FLIP_TOP_BOTTOM,
    Transpose.ROTATE_180,
    Transpose.ROTATE_90,
    Transpose.ROTATE_270,
    Transpose.TRANSPOSE,
    Transpose.TRANSVERSE,
)
VIEWS = len(STEPS)


def dihedral(image: Image, view: int) -> Image:
    """Return view 0 to 7 of the square's symmetry group; 0 is the image itself. Raises ValueError beyond."""
    if not 0 <= view < VIEWS:
        raise ValueError(f"view must be in [0, {VIEWS - 1}], got {view}")
    step = STEPS[view]
    return image if step is None else image.transpose(step)
