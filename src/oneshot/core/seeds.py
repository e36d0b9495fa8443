"""Randomness as a function: every random number follows from (seed, purpose, place), never from a state."""

import hashlib

import numpy as np


def derive(seed: int, purpose: str, *place: int) -> int:
    """Derive an independent 63-bit seed for one purpose and place (epoch, step, draw, ...).

    seed: the project's one seed; purpose: what the numbers are for, such as "augmentation".
    """
    text = "/".join([str(int(seed)), purpose, *(str(int(p)) for p in place)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, purpose: str, *place: int) -> np.random.Generator:
    """Make a NumPy generator for one purpose and place."""
    return np.random.default_rng(derive(seed, purpose, *place))


def pair(seed: int, purpose: str, *place: int) -> np.ndarray:
    """Derive the seed of a stateless TensorFlow operation: (2,) int32."""
    value = derive(seed, purpose, *place)
    return np.array([value & 0x7FFFFFFF, (value >> 31) & 0x7FFFFFFF], np.int32)
