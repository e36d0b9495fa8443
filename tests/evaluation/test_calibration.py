"""Probabilities from distances: right on average where classes are what the model takes them for."""

import numpy as np
import pytest

from oneshot.evaluation import calibration
from oneshot.evaluation.calibration import Temperature


def classes(count: int, *, spread: float = 2, dimensions: int = 4, images: int = 200, seed: int = 0):
    """Features of classes that scatter by 1 in each dimension, around means that do by `spread`; their labels."""
    random = np.random.default_rng(seed)
    labels = np.repeat(np.arange(count), images)
    means = random.normal(0, spread, (count, dimensions))
    return means[labels] + random.normal(size=(len(labels), dimensions)), labels


def test_probabilities_are_those_of_normal_densities():
    distances, temperature = np.array([[1.0, 2.0, 2.5]]), Temperature(2.0, 3.0)
    densities = np.exp(-np.array([1.0, 4.0, 6.25]) / (2 + 3 / 5))
    assert np.allclose(calibration.probabilities(distances, temperature, 5), densities / densities.sum())


@pytest.mark.parametrize("count", [3, 8])
def test_the_temperature_of_classes_far_apart_is_that_of_their_scatter(count: int):
    features, labels = classes(count, spread=3, dimensions=2)
    found = calibration.choose_temperature(lambda held, others: features[held], labels, seed=1)
    assert found.scatter == pytest.approx(2, rel=0.15) and found.example >= found.scatter


def test_an_example_of_classes_that_are_near_each_other_says_less():
    features, labels = classes(8, spread=0.5, dimensions=30)
    found = calibration.choose_temperature(lambda held, others: features[held], labels, seed=1)
    assert found.example > 3 * found.scatter


@pytest.mark.parametrize("shots", [1, 5])
def test_the_probabilities_are_right_on_new_classes(shots: int):
    features, labels = classes(8)
    found = calibration.choose_temperature(lambda held, others: features[held], labels, seed=1)
    new, new_labels = classes(8, seed=1)
    measured = calibration.measure(new, new_labels, found, shots=shots, seed=1)
    assert measured["expected_calibration_error"] < 0.05
    assert measured["sure_accuracy"] > 0.8 > measured["unsure_accuracy"]


def test_statistics_are_of_other_classes_than_those_held_out():
    features, labels = classes(5)
    asked = []

    def represent(held, others):
        asked.append((set(labels[held]), set(labels[others])))
        return features[held]

    calibration.choose_temperature(represent, labels, seed=1)
    assert len(asked) == 5 and all(len(held) == 2 and held | others == set(range(5)) for held, others in asked)
    assert all(not held & others for held, others in asked)


def test_two_images_of_each_class_are_enough():
    features, labels = classes(3, images=2)
    found = calibration.choose_temperature(lambda held, others: features[held], labels, seed=1)
    assert found.scatter == found.example > 0


def test_the_calibration_error_is_the_distance_from_the_share_that_is_right():
    found = np.array([[0.9, 0.1]] * 10)
    right = np.array([0] * 7 + [1] * 3)
    measured = calibration.calibration_metrics(found, right)
    assert measured["expected_calibration_error"] == pytest.approx(0.2)
    assert measured["sure"] == 1 and measured["sure_accuracy"] == pytest.approx(0.7)
