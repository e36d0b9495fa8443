"""One colour and marker per class."""

from oneshot.plotting.palette import COLOURS, MARKERS


def test_ten_classes_have_ten_colours_and_markers():
    assert len(set(COLOURS)) == len(MARKERS) == 10


def test_classes_that_are_drawn_together_never_share_a_marker():
    for together in (range(6), range(6, 10), range(5), range(5, 10)):
        assert len({MARKERS[label] for label in together}) == len(together)
