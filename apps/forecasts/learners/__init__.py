"""Learners by name. They are imported on first use: only the process that trains or predicts with one pays for its library."""

from __future__ import annotations

from importlib import import_module

from apps.core.errors import Misconfigured
from apps.forecasts.ports import Learner

BASELINE = "naive"
LEARNERS = {
    BASELINE: "apps.forecasts.learners.naive.NaiveLearner",
    "lightgbm": "apps.forecasts.learners.lightgbm.LightgbmLearner",
}


def new_learner(name: str) -> Learner:
    """An unfitted learner; raises Misconfigured for a name that is not registered."""
    if name not in LEARNERS:
        raise Misconfigured(f"There is no learner named {name}.", where="learner", hint=f"Known: {', '.join(LEARNERS)}.")
    module_name, _, attribute = LEARNERS[name].rpartition(".")
    learner: Learner = getattr(import_module(module_name), attribute)()
    return learner
