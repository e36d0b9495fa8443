"""Labelled images: selected, split, joined and relabelled as a plain dictionary would do it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneshot.core.errors import UserError
from oneshot.core.images import LabelledImages, check_labels, join


def some(labels, start=0):
    """Images of one pixel, whose value is their position."""
    indices = np.arange(start, start + len(labels))
    return LabelledImages(indices.astype(np.uint8).reshape(-1, 1, 1, 1), np.array(labels, np.uint8), indices)


def rows(data):
    """Every image as (pixel, label, position)."""
    return [(int(image.item()), int(label), int(index)) for image, label, index in zip(*data, strict=True)]


labels_of_images = st.lists(st.integers(0, 9), min_size=1, max_size=30)


@given(labels=labels_of_images, data=st.data())
def test_images_are_taken_in_the_order_asked_for(labels, data):
    positions = data.draw(st.lists(st.integers(0, len(labels) - 1), max_size=40))
    taken = some(labels).take(np.array(positions, np.int64))
    assert rows(taken) == [(position, labels[position], position) for position in positions]
    assert taken.images.dtype == taken.labels.dtype == np.uint8 and taken.indices.dtype == np.int64


@given(labels=labels_of_images, data=st.data())
def test_parts_are_taken_by_name(labels, data):
    places = st.lists(st.integers(0, len(labels) - 1), max_size=9)
    splits = data.draw(st.dictionaries(st.sampled_from(["train", "validation", "test"]), places))
    parts = some(labels).parts({part: np.array(positions, np.int64) for part, positions in splits.items()})
    assert list(parts) == list(splits)
    for part, positions in splits.items():
        assert rows(parts[part]) == [(position, labels[position], position) for position in positions]


def test_indices_of_a_part_of_a_part_are_those_of_the_data_set():
    part = some([3, 4, 5, 6]).take(np.array([1, 2, 3])).take(np.array([2, 0]))
    assert rows(part) == [(3, 6, 3), (1, 4, 1)]


@given(
    classes=st.permutations(range(10)).flatmap(lambda order: st.integers(1, 10).map(lambda n: order[:n])),
    data=st.data(),
)
def test_relabelling_equals_a_dictionary(classes, data):
    labels = data.draw(st.lists(st.sampled_from(classes), max_size=30))
    images = some(labels)
    place = {label: position for position, label in enumerate(classes)}
    relabelled = images.relabelled(classes)
    assert relabelled.labels.tolist() == [place[label] for label in labels]
    assert relabelled.labels.dtype == np.int64
    assert relabelled.images is images.images and relabelled.indices is images.indices
    assert images.labels.tolist() == labels


def test_a_label_that_is_none_of_the_classes_is_refused():
    with pytest.raises(ValueError, match=r"the label 2 is not among the classes \[0, 5\]"):
        some([0, 2, 5]).relabelled([0, 5])


@given(st.lists(labels_of_images, min_size=1, max_size=4))
def test_joined_sets_stand_one_after_another(sets):
    parts = [some(labels, start=50 * number) for number, labels in enumerate(sets)]
    assert rows(join(parts)) == [row for part in parts for row in rows(part)]


def test_labels_up_to_9_are_labels():
    check_labels(np.arange(10, dtype=np.uint8), "a.bin")
    check_labels(np.zeros(0, np.uint8), "a.bin")
    with pytest.raises(UserError, match=r"a\.bin holds the label 10, but labels are 0\.\.9: delete it"):
        check_labels(np.array([3, 10], np.uint8), "a.bin")
