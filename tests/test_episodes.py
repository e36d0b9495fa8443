import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from oneshot import episodes as module
from oneshot.confusion import accuracy, confusion_matrix
from oneshot.episodes import choose_images, draw_episodes, evaluate, require_images
from oneshot.errors import UserError

CLASSES = [6, 7, 8, 9]


def some_features(per_class=20, dimensions=5, spread=1.0, seed=0, classes=CLASSES):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(classes, per_class))
    centres = rng.normal(size=(10, dimensions))
    return centres[labels] + spread * rng.normal(size=(len(labels), dimensions)), labels


def by_scikit_learn(model, features, labels, classes, episodes):
    """One episode after the other, each with a model of its own."""
    matrices = []
    for ways, support in zip(episodes.ways, episodes.support, strict=True):
        labels_of_support = np.repeat(np.array(classes)[ways], support.shape[1])
        queries = np.setdiff1d(np.flatnonzero(np.isin(labels, labels_of_support)), support)
        predicted = model.fit(features[support.ravel()], labels_of_support).predict(features[queries])
        matrices.append(
            confusion_matrix(
                np.searchsorted(classes, predicted), np.searchsorted(classes, labels[queries]), len(classes)
            )
        )
    return np.stack(matrices)


@pytest.mark.parametrize("ways", [None, 2, 3])
@pytest.mark.parametrize(("shots", "model"), [(1, KNeighborsClassifier(1)), (3, NearestCentroid())])
def test_evaluate_equals_scikit_learn_on_the_same_draws(shots, model, ways):
    features, labels = some_features()
    drawn = draw_episodes(labels, CLASSES, episodes=12, shots=shots, ways=ways, seed=3)
    expected = by_scikit_learn(model, features, labels, CLASSES, drawn)
    np.testing.assert_array_equal(evaluate(features, labels, CLASSES, drawn), expected)


def test_evaluate_equals_scikit_learn_on_the_size_of_the_report():
    features, labels = some_features(per_class=900, dimensions=600, spread=6.0)
    pool = choose_images(labels, CLASSES, 700, seed=1)
    features, labels = features[pool], labels[pool]
    drawn = draw_episodes(labels, CLASSES, episodes=100, shots=1, seed=1)
    confusions = evaluate(features, labels, CLASSES, drawn)
    assert confusions.sum(0).sum(0).tolist() == [69_900] * 4
    first = type(drawn)(drawn.ways[:5], drawn.support[:5])
    expected = by_scikit_learn(KNeighborsClassifier(1), features, labels, CLASSES, first)
    np.testing.assert_array_equal(confusions[:5], expected)


def test_blocks_do_not_change_the_result(monkeypatch):
    features, labels = some_features()
    drawn = draw_episodes(labels, CLASSES, episodes=17, shots=2, seed=1)
    whole = evaluate(features, labels, CLASSES, drawn)
    monkeypatch.setattr(module, "_BLOCK_BYTES", 8 * len(labels) * 4 * 3)
    np.testing.assert_array_equal(evaluate(features, labels, CLASSES, drawn), whole)


def test_a_tie_goes_to_the_first_class_and_is_counted_once():
    labels = np.repeat(CLASSES, 3)
    confusions = evaluate(
        np.zeros((12, 2)), labels, CLASSES, draw_episodes(labels, CLASSES, episodes=4, shots=1, seed=1)
    )
    np.testing.assert_array_equal(confusions[:, 0], np.full((4, 4), 2))
    assert confusions[:, 1:].sum() == 0


@settings(max_examples=40, deadline=None)
@given(
    per_class=st.integers(2, 12),
    shots=st.integers(1, 5),
    ways=st.integers(2, 4),
    count=st.integers(1, 6),
    seed=st.integers(0, 2**40),
)
def test_properties_of_draws(per_class, shots, ways, count, seed):
    shots = min(shots, per_class - 1)
    features, labels = some_features(per_class, seed=seed % 7)
    drawn = draw_episodes(labels, CLASSES, episodes=count, shots=shots, ways=ways, seed=seed)
    assert drawn.support.shape == (count, ways, shots)
    for chosen, support in zip(drawn.ways, drawn.support, strict=True):
        assert len(set(chosen)) == ways
        assert len(set(support.ravel())) == ways * shots
        np.testing.assert_array_equal(labels[support], np.repeat(np.array(CLASSES)[chosen, None], shots, 1))

    confusions = evaluate(features, labels, CLASSES, drawn)
    expected = np.zeros((count, 4), int)
    np.put_along_axis(expected, drawn.ways, per_class - shots, axis=1)
    np.testing.assert_array_equal(confusions.sum(1), expected)

    again = draw_episodes(labels, CLASSES, episodes=count, shots=shots, ways=ways, seed=seed)
    np.testing.assert_array_equal(again.support, drawn.support)
    np.testing.assert_array_equal(again.ways, drawn.ways)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_units_and_of_images_does_not_matter(seed):
    features, labels = some_features(seed=seed)
    rng = np.random.default_rng(seed)
    drawn = draw_episodes(labels, CLASSES, episodes=5, shots=2, seed=seed)
    expected = evaluate(features, labels, CLASSES, drawn)
    units = rng.permutation(features.shape[1])
    np.testing.assert_array_equal(evaluate(features[:, units], labels, CLASSES, drawn), expected)
    images = rng.permutation(len(labels))
    moved = type(drawn)(drawn.ways, np.argsort(images)[drawn.support])
    np.testing.assert_array_equal(evaluate(features[images], labels[images], CLASSES, moved), expected)


def test_a_support_image_is_never_a_query():
    # Every image is its own cluster: a support among the queries would be the only right answer.
    labels = np.repeat(CLASSES, 2)
    features = np.array([[0.0], [100], [101], [201], [202], [302], [303], [1.0]])
    drawn = draw_episodes(labels, CLASSES, episodes=50, shots=1, seed=1)
    assert evaluate(features, labels, CLASSES, drawn).sum((1, 2)).tolist() == [4] * 50


def test_random_features_are_classified_at_chance():
    rng = np.random.default_rng(0)
    labels = np.repeat(CLASSES, 200)
    drawn = draw_episodes(labels, CLASSES, episodes=300, shots=1, seed=1)
    correct = accuracy(evaluate(rng.normal(size=(800, 20)).astype(np.float32), labels, CLASSES, drawn))
    assert abs(correct.mean() - 0.25) < 0.005


def test_every_image_is_drawn_about_equally_often():
    labels = np.repeat(CLASSES, 10)
    drawn = draw_episodes(labels, CLASSES, episodes=4000, shots=3, ways=2, seed=1)
    counts = np.bincount(drawn.support.ravel(), minlength=40)
    expected = 4000 * 2 * 3 / 40
    assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_draws_depend_on_the_seed_and_the_purpose():
    _, labels = some_features()
    draws = {
        draw_episodes(labels, CLASSES, episodes=9, shots=1, seed=seed, purpose=purpose).support.tobytes()
        for seed in (1, 2)
        for purpose in ("a", "b")
    }
    assert len(draws) == 4


def test_chosen_images_are_of_their_class_and_the_same_each_time():
    _, labels = some_features()
    chosen = choose_images(labels, CLASSES, 7, seed=5)
    assert labels[chosen].tolist() == np.repeat(CLASSES, 7).tolist()
    assert len(set(chosen)) == 28
    np.testing.assert_array_equal(choose_images(labels, CLASSES, 7, seed=5), chosen)


def test_too_few_images_name_both_parameters():
    labels = np.repeat(CLASSES, [700, 700, 120, 700])
    with pytest.raises(UserError) as error:
        require_images(labels, CLASSES, 700, "one_shot.images_per_class", "cifar10.limit_per_class")
    assert str(error.value) == (
        "class 8 has 120 images, but one_shot.images_per_class asks for 700: "
        "lower one_shot.images_per_class or raise cifar10.limit_per_class"
    )
    require_images(labels, CLASSES, 120, "one_shot.images_per_class", "cifar10.limit_per_class")


@pytest.mark.parametrize(("shots", "ways"), [(20, None), (1, 5), (1, 1)])
def test_impossible_episodes_are_refused(shots, ways):
    _, labels = some_features()
    with pytest.raises(ValueError, match=r"shots and a query|ways of 4 classes"):
        draw_episodes(labels, CLASSES, episodes=1, shots=shots, ways=ways, seed=1)
