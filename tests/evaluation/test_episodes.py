"""Episodes: sampled fairly and the same each time, and classified as scikit-learn does it one after another."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid

from oneshot.core.errors import UserError
from oneshot.evaluation import episodes as module
from oneshot.evaluation.confusion import accuracy, confusion_matrix
from oneshot.evaluation.episodes import (
    choose_images,
    classify_episodes,
    draw_episodes,
    query_parts,
    require_features,
    require_images,
)

CLASSES = [6, 7, 8, 9]


def some_features(per_class=20, dimensions=5, spread=1.0, seed=0, classes=CLASSES):
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(classes, per_class))
    centres = rng.normal(size=(10, dimensions))
    return centres[labels] + spread * rng.normal(size=(len(labels), dimensions)), labels


def by_scikit_learn(model, features, labels, classes, support, parts=None):
    """One episode after another, each with its own model."""
    matrices = []
    parts = parts or [np.flatnonzero(np.isin(labels, classes))]
    for number, chosen in enumerate(support):
        queries = np.setdiff1d(parts[number % len(parts)], chosen)
        model.fit(features[chosen.ravel()], np.repeat(np.arange(len(classes)), chosen.shape[1]))
        true = [classes.index(label) for label in labels[queries]]
        matrices.append(confusion_matrix(true, model.predict(features[queries]), len(classes)))
    return np.stack(matrices)


@pytest.mark.parametrize("classes", [CLASSES, [8, 6], [9, 6, 7]])
@pytest.mark.parametrize(("shots", "model"), [(1, KNeighborsClassifier(1)), (3, NearestCentroid())])
def test_evaluate_equals_scikit_learn_on_the_same_draws(shots, model, classes):
    features, labels = some_features()
    support = draw_episodes(labels, classes, episodes=12, shots=shots, seed=3)
    expected = by_scikit_learn(model, features, labels, classes, support)
    np.testing.assert_array_equal(classify_episodes(features, labels, classes, support), expected)


@pytest.mark.parametrize("queries", [1, 6, 7, 100])
def test_successive_episodes_classify_successive_parts_as_scikit_learn_does(queries):
    features, labels = some_features()
    classes = [8, 6, 9]
    support = draw_episodes(labels, classes, episodes=13, shots=3, seed=3)
    parts = query_parts(labels, classes, queries, shots=3, seed=3)
    expected = by_scikit_learn(NearestCentroid(), features, labels, classes, support, parts)
    np.testing.assert_array_equal(classify_episodes(features, labels, classes, support, parts), expected)


@given(
    sizes=st.lists(st.integers(4, 40), min_size=4, max_size=4),
    queries=st.integers(1, 50),
    shots=st.integers(1, 3),
    seed=st.integers(0, 2**40),
)
def test_parts_share_out_all_images_and_leave_each_class_a_query(sizes, queries, shots, seed):
    labels = np.random.default_rng(seed).permutation(np.repeat([1, *CLASSES], [5, *sizes]))
    parts = query_parts(labels, CLASSES, queries, shots=shots, seed=seed)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.flatnonzero(labels != 1))
    for label in CLASSES:
        counts = [np.count_nonzero(labels[part] == label) for part in parts]
        assert max(counts) - min(counts) <= 1 and min(counts) > shots
        # So few images that each part would hold fewer than the support images: then the parts are larger.
        assert max(counts) <= queries or len(parts) == min(sizes) // (shots + 1)


def test_parts_of_the_queries_hardly_change_the_mean_nor_its_interval():
    features, labels = some_features(per_class=300, dimensions=20, spread=2.0)
    support = draw_episodes(labels, CLASSES, episodes=1000, shots=1, seed=1)
    parts = query_parts(labels, CLASSES, 100, shots=1, seed=1)
    assert len(parts) == 3
    whole, some = (accuracy(classify_episodes(features, labels, CLASSES, support, asked)) for asked in (None, parts))
    assert abs(whole.mean() - some.mean()) < 1.96 * whole.std() / np.sqrt(1000) / 3
    assert some.std() < 1.1 * whole.std()


def test_evaluate_equals_scikit_learn_on_the_size_of_the_report():
    features, labels = some_features(per_class=900, dimensions=600, spread=6.0)
    pool = choose_images(labels, CLASSES, 700, seed=1)
    features, labels = features[pool], labels[pool]
    support = draw_episodes(labels, CLASSES, episodes=100, shots=1, seed=1)
    confusions = classify_episodes(features, labels, CLASSES, support)
    assert confusions.sum(0).sum(1).tolist() == [69_900] * 4
    expected = by_scikit_learn(KNeighborsClassifier(1), features, labels, CLASSES, support[:5])
    np.testing.assert_array_equal(confusions[:5], expected)


def test_blocks_do_not_change_the_result(monkeypatch):
    features, labels = some_features()
    support = draw_episodes(labels, CLASSES, episodes=17, shots=2, seed=1)
    whole = classify_episodes(features, labels, CLASSES, support)
    for episodes_at_once in (3, 1 / 7):
        monkeypatch.setattr(module, "_BLOCK_BYTES", int(8 * len(labels) * 4 * episodes_at_once))
        np.testing.assert_array_equal(classify_episodes(features, labels, CLASSES, support), whole)


def test_many_classes_need_little_memory():
    """1,000 classes of 25 images: the scores of one episode alone would be 100 MB, and marks of the nearest 25 MB."""
    labels = np.repeat(np.arange(1000), 25)
    features = np.random.default_rng(0).normal(size=(len(labels), 8)).astype(np.float32)
    support = draw_episodes(labels, range(1000), episodes=1, shots=1, seed=1)
    tracemalloc.start()
    try:
        confusions = classify_episodes(features, labels, range(1000), support)
        peak = tracemalloc.get_traced_memory()[1] - confusions.nbytes
    finally:
        tracemalloc.stop()
    assert confusions.sum() == 24_000
    assert peak < 60e6


def test_a_tie_goes_to_the_first_class_and_is_counted_once():
    labels = np.repeat(CLASSES, 3)
    support = draw_episodes(labels, CLASSES, episodes=4, shots=1, seed=1)
    confusions = classify_episodes(np.zeros((12, 2)), labels, CLASSES, support)
    np.testing.assert_array_equal(confusions[:, :, 0], np.full((4, 4), 2))
    assert confusions[:, :, 1:].sum() == 0


@settings(max_examples=40, deadline=None)
@given(
    per_class=st.integers(2, 12),
    shots=st.integers(1, 5),
    classes=st.permutations(CLASSES).flatmap(lambda order: st.integers(2, 4).map(lambda n: order[:n])),
    count=st.integers(1, 6),
    seed=st.integers(0, 2**40),
)
def test_draws_are_distinct_images_of_each_class_and_all_others_are_queries(per_class, shots, classes, count, seed):
    shots = min(shots, per_class - 1)
    features, labels = some_features(per_class, seed=seed % 7)
    support = draw_episodes(labels, classes, episodes=count, shots=shots, seed=seed)
    assert support.shape == (count, len(classes), shots) and support.dtype == np.int64
    for chosen in support:
        assert len(set(chosen.ravel())) == len(classes) * shots
        np.testing.assert_array_equal(labels[chosen], np.repeat(np.array(classes)[:, None], shots, 1))

    confusions = classify_episodes(features, labels, classes, support)
    np.testing.assert_array_equal(confusions.sum(2), np.full((count, len(classes)), per_class - shots))

    again = draw_episodes(labels, classes, episodes=count, shots=shots, seed=seed)
    np.testing.assert_array_equal(again, support)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_units_and_of_images_does_not_matter(seed):
    features, labels = some_features(seed=seed)
    rng = np.random.default_rng(seed)
    support = draw_episodes(labels, CLASSES, episodes=5, shots=2, seed=seed)
    expected = classify_episodes(features, labels, CLASSES, support)
    units = rng.permutation(features.shape[1])
    np.testing.assert_array_equal(classify_episodes(features[:, units], labels, CLASSES, support), expected)
    images = rng.permutation(len(labels))
    moved = np.argsort(images)[support]
    np.testing.assert_array_equal(classify_episodes(features[images], labels[images], CLASSES, moved), expected)


def test_a_support_image_is_never_a_query():
    # Every image is its own cluster: a support among the queries would be the only right answer.
    labels = np.repeat(CLASSES, 2)
    features = np.array([[0.0], [100], [101], [201], [202], [302], [303], [1.0]])
    support = draw_episodes(labels, CLASSES, episodes=50, shots=1, seed=1)
    assert classify_episodes(features, labels, CLASSES, support).sum((1, 2)).tolist() == [4] * 50


def test_images_of_other_classes_are_never_queries():
    features, labels = some_features()
    support = draw_episodes(labels, [7, 9], episodes=6, shots=1, seed=1)
    only = np.isin(labels, [7, 9])
    place = np.cumsum(only) - 1
    expected = classify_episodes(features[only], labels[only], [7, 9], place[support])
    np.testing.assert_array_equal(classify_episodes(features, labels, [7, 9], support), expected)


def test_random_features_are_classified_at_chance():
    rng = np.random.default_rng(0)
    labels = np.repeat(CLASSES, 200)
    support = draw_episodes(labels, CLASSES, episodes=300, shots=1, seed=1)
    correct = accuracy(classify_episodes(rng.normal(size=(800, 20)).astype(np.float32), labels, CLASSES, support))
    assert abs(correct.mean() - 0.25) < 0.005


def test_every_image_is_drawn_about_equally_often():
    labels = np.repeat(CLASSES, 10)
    support = draw_episodes(labels, CLASSES, episodes=4000, shots=3, seed=1)
    expected = 4000 * 3 / 10
    for place in (support, support[..., 0], support[..., 2]):
        counts = np.bincount(place.ravel(), minlength=40)
        share = expected * place[0].size / 12
        assert np.abs(counts - share).max() < 5 * np.sqrt(share)


def test_draws_depend_on_the_seed_the_purpose_and_the_shots():
    _, labels = some_features()
    draws = {
        draw_episodes(labels, CLASSES, episodes=9, shots=shots, seed=seed, purpose=purpose)[..., 0].tobytes()
        for shots in (1, 2)
        for seed in (1, 2)
        for purpose in ("a", "b")
    }
    assert len(draws) == 8


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


@pytest.mark.parametrize(
    ("shots", "classes", "sentence"),
    [
        (20, CLASSES, "class 6 has 20 images, too few for 20 shots and a query"),
        (1, [6, 5], "class 5 has 0 images"),
        (1, [6], "an episode needs two classes, not 1"),
    ],
)
def test_impossible_episodes_are_refused(shots, classes, sentence):
    _, labels = some_features()
    with pytest.raises(ValueError, match=sentence):
        draw_episodes(labels, classes, episodes=1, shots=shots, seed=1)


@pytest.mark.parametrize(
    "features",
    [
        np.full((5, 3), 50, np.float32),
        np.full((5, 3), np.nan, np.float32),
        np.array([[0, 1], [0, np.inf]], np.float32),
        np.array([[0, 0], [0, 1e-30], [0, 0]], np.float32),
        np.array([[0, 1e20], [0, 0]], np.float32),
    ],
    ids=["same", "not a number", "infinite", "distances vanish", "distances overflow"],
)
def test_representations_of_a_net_that_learned_nothing_are_refused(features):
    with pytest.raises(UserError, match=r"by the 6-class net .* lower its learning rate"):
        require_features(features, "6-class")


def test_labels_may_be_a_list_of_names():
    labels = ["cat", "dog", "cat", "dog", "dog"]
    drawn = draw_episodes(labels, ["cat", "dog"], episodes=5, shots=1, seed=1)
    np.testing.assert_array_equal(drawn, draw_episodes(np.array(labels), ["cat", "dog"], episodes=5, shots=1, seed=1))
