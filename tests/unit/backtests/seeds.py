"""A fresh seed for every run of a simulation, printed so that a failure can be repeated."""

from __future__ import annotations

import random

import numpy as np


def fresh_generator() -> np.random.Generator:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    return np.random.Generator(np.random.PCG64(seed))


def fresh_seed() -> int:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    return seed
