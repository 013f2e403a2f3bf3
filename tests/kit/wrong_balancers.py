"""One deliberately wrong balancer for each check of the contract kit."""

from __future__ import annotations

import itertools

import torch

import skinframe

COUNTER = itertools.count()


class Right(skinframe.Balancer):
    """Divides each term by its running mean; passes every check."""

    name = "right"

    def __init__(self, config=None):
        super().__init__(config)
        self.means = {}

    def factors(self, terms):
        return {name: 1 / (1 + self.means.get(name, 0.0)) for name in terms}

    def learn(self, values, norms):
        for name, value in values.items():
            self.means[name] = 0.5 * (self.means.get(name, value) + value)

    def state(self):
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in self.means.items()}

    def load_state(self, state):
        self.means = {name: float(value) for name, value in state.items()}


class GoesNegative(Right):
    def factors(self, terms):
        return {name: 1 - 1e-2 * self.means.get(name, 0.0) for name in terms}


class DividesByTheTerm(Right):
    def factors(self, terms):
        own = {name: self.means.get(name, 1.0) for name in terms}
        return {name: 1 / value if value else float("inf") for name, value in own.items()}

    def learn(self, values, norms):
        self.means |= values


class Restless(Right):
    def learn(self, values, norms):
        super().learn(values, norms)
        self.means |= {name: self.means[name] + 1e-6 * next(COUNTER) for name in values}


class FavoursTheFirst(Right):
    def learn(self, values, norms):
        super().learn(values, norms)
        if len(self.means) == 3:
            self.means[next(iter(values))] *= 0.5


class MovesTheUntold(Right):
    def learn(self, values, norms):
        super().learn(values, norms)
        for name in self.means:
            self.means[name] *= 0.5 if name not in values else 1.0


class Meddler(Right):
    def learn(self, values, norms):
        super().learn(values, norms)
        norms["one"] = 0.0


class Forgets(Right):
    def state(self):
        return {name: value for name, value in super().state().items() if name != "two"}


RIGHT = [Right()]
WRONG = {
    "positive": GoesNegative(),
    "solved": DividesByTheTerm(),
    "deterministic": Restless(),
    "term_order": FavoursTheFirst(),
    "absent": MovesTheUntold(),
    "pure": Meddler(),
    "resume": Forgets(),
}
ALSO = {
    "positive": {"solved"},  # looks at the same factors
    "deterministic": {"term_order", "resume"},  # each compares two histories
}
