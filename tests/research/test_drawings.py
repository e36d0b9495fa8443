"""The study of drawings that nobody here made: its data, and what it says where fonts are missing."""

import numpy as np
import pytest

from oneshot.core.errors import UserError
from research import drawings


def test_missing_fonts_are_named_by_their_packages(tmp_path):
    for path in drawings.FONTS["fonts-kristi"]:
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).touch()
    with pytest.raises(UserError, match="apt install fonts-breip fonts-bwht") as raised:
        drawings.font_files(str(tmp_path))
    assert "fonts-kristi" not in str(raised.value)


def test_each_hand_is_there_once_and_suffices_for_ten_examples():
    paths = [path for paths in drawings.FONTS.values() for path in paths]
    assert len(set(paths)) == len(paths) > max(drawings.SHOTS)
    assert [len(letters) for letters in drawings.LETTERS.values()] == [10, 5, 20, 14]
    assert all(len(set(letters)) == len(letters) for letters in drawings.LETTERS.values())


def test_a_photograph_of_paper_has_the_shade_and_the_noise_that_the_study_names():
    paper = np.full((128, 128), 200, np.uint8)
    found = drawings.photographed(paper, np.random.default_rng(0)).astype(float)
    blocks = found.reshape(8, 16, 8, 16).mean((1, 3))
    assert blocks.max() == pytest.approx(200, abs=8) and blocks.min() == pytest.approx(150, abs=8)
    flat = found - np.kron(blocks, np.ones((16, 16)))
    assert flat.std() == pytest.approx(8, abs=1)


def test_the_scanned_digits_are_dark_on_light():
    images, labels = drawings.scanned()
    assert len(images) == len(labels) == 1797
    assert images[0].dtype == np.uint8 and images[0][0, 0] == 255 and images[0].min() < 100
