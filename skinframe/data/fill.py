"""How full each part of a split is, a class at a time, and where the next group goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


class Fill:
    """Greedy stratified filling: `place` takes whole groups, largest first, to the part s that least raises

    sum_c (n[s, c] - f[s] N[c])^2 / (f[s] N[c]), with f the parts' shares. A class with as few groups left as parts
    that lack it is spread over them.
    """

    def __init__(self, labels: Sequence[int], groups: Sequence[Sequence[int]], fractions: Sequence[float]) -> None:
        self.labels, self.fractions = labels, fractions
        self.total = Counter(labels)
        self.have: list[Counter[int]] = [Counter() for _ in fractions]
        self.left = Counter(label for group in groups for label in {labels[index] for index in group})

    def place(self, group: Sequence[int], allowed: Sequence[int]) -> int:
        """Return the part that a group of sample indices goes to, and count it there."""
        counts = Counter(self.labels[index] for index in group)
        if len(allowed) == 1:
            return self._put(allowed[0], counts)
        for label in sorted(counts, key=lambda c: (self.left[c], c)):  # the scarcest class is served first
            empty = [s for s in allowed if self.have[s][label] == 0]
            if 0 < self.left[label] <= len(empty):
                allowed = empty
                break
        return self._put(min(allowed, key=lambda s: (self._cost(s, counts), s)), counts)

    def _put(self, s: int, counts: Counter[int]) -> int:
        self.have[s].update(counts)
        self.left.subtract(counts.keys())
        return s

    def _cost(self, s: int, counts: Counter[int]) -> float:
        cost = 0.0
        for label in sorted(counts):
            target = self.fractions[s] * self.total[label]
            cost += counts[label] * (2 * (self.have[s][label] - target) + counts[label]) / target
        return cost
