"""Reads a slow set with workers. No main guard on purpose: a worker must not run its parent's script again."""

import slow_set

from skinframe.data.image_table import image_table

print("started", flush=True)
slower = slow_set.SlowerSet()
image_table(slower, slower.samples(), progress=lambda n: print(n, flush=True))
