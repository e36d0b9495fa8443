"""TensorFlow's set-up: initial weights depend only on the seed, and its import hides no package for good."""

import sys

import numpy as np

from oneshot.training.tensorflow import keras, seed_initialisation


def weights(seed):
    seed_initialisation(seed)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)]).get_weights()[0]


def test_initial_weights_follow_from_the_seed_alone():
    first = weights(1)
    np.random.random()
    keras.layers.Dense(2).build((None, 3))
    assert np.array_equal(weights(1), first)
    assert not np.array_equal(weights(2), first)


def test_the_packages_that_keras_need_not_import_can_be_imported_afterwards():
    assert sys.modules.get("sklearn", sys) and sys.modules.get("matplotlib", sys)
