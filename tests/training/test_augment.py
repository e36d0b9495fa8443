"""The batched transforms against Keras's own ImageDataGenerator functions, one image at a time."""

import numpy as np
import pytest

from oneshot.training import augment
from oneshot.training.tensorflow import tf

SIZE = 32
apply_affine_transform = tf.keras.preprocessing.image.apply_affine_transform


def smooth_images(count, size=SIZE):
    """Random images whose neighbouring pixels are alike, so that a wrong shift shows and rounding does not."""
    rng = np.random.default_rng(0)
    coarse = rng.uniform(0, 255, (count, 6, 6, 3)).astype(np.float32)
    return tf.image.resize(coarse, (size, size), method="bicubic").numpy()


def identity(count):
    return {
        "rotation": np.zeros(count),
        "height_shift": np.zeros(count),
        "width_shift": np.zeros(count),
        "shear": np.zeros(count),
        "zoom_x": np.ones(count),
        "zoom_y": np.ones(count),
        "flipped": np.zeros(count, bool),
    }


def random_parts(rng, count):
    return {
        "rotation": np.deg2rad(rng.uniform(-30, 30, count)),
        "height_shift": rng.uniform(-5, 5, count),
        "width_shift": rng.uniform(-5, 5, count),
        "shear": np.deg2rad(rng.uniform(-20, 20, count)),
        "zoom_x": rng.uniform(0.8, 1.2, count),
        "zoom_y": rng.uniform(0.8, 1.2, count),
        "flipped": rng.integers(2, size=count) == 1,
    }


def reference(image, fill, order, parts, i):
    moved = apply_affine_transform(
        image,
        theta=np.rad2deg(parts["rotation"][i]),
        # Keras calls the shift along the width tx here, and draws it from the range of the height.
        tx=parts["width_shift"][i],
        ty=parts["height_shift"][i],
        shear=np.rad2deg(parts["shear"][i]),
        zx=parts["zoom_x"][i],
        zy=parts["zoom_y"][i],
        row_axis=0,
        col_axis=1,
        channel_axis=2,
        fill_mode=fill,
        order=order,
    )
    return moved[:, ::-1] if parts["flipped"][i] else moved


@pytest.mark.parametrize("fill", ["nearest", "reflect"])
@pytest.mark.parametrize("only", [None, "rotation", "height_shift", "width_shift", "shear", "zoom_x", "flipped"])
def test_images_equal_those_of_keras(fill, only):
    count = 12
    images = smooth_images(count)
    parts = random_parts(np.random.default_rng(1), count)
    if only:
        parts = identity(count) | {only: parts[only]}
    ours = augment.transform(images, augment.compose(SIZE, **parts), fill, "bilinear").numpy()
    for i in range(count):
        np.testing.assert_allclose(ours[i], reference(images[i], fill, 1, parts, i), atol=0.05)


def test_nearest_interpolation_shifts_by_whole_pixels():
    images = smooth_images(4)
    parts = identity(4) | {"height_shift": np.array([0.0, 2.0, -3.0, 4.4]), "width_shift": np.array([1.0, 0, 0.4, -4])}
    ours = augment.transform(images, augment.compose(SIZE, **parts), "reflect", "nearest").numpy()
    for i, (down, right) in enumerate([(0, 1), (2, 0), (-3, 0), (4, -4)]):
        padded = np.pad(images[i], ((5, 5), (5, 5), (0, 0)), mode="symmetric")
        np.testing.assert_array_equal(ours[i], padded[5 + down : 37 + down, 5 + right : 37 + right])


def test_draws_stay_within_their_ranges_and_use_them():
    ranges = {"rotation": 0, "width_shift": 0.15, "height_shift": 0.1, "shear": 0, "zoom": 0}
    flipped = augment.choose_flipped("alternating", 1, 0, 4000)
    drawn = augment.sample_transforms(np.random.default_rng(0), 4000, SIZE, flipped=flipped, **ranges)
    right = np.where(drawn[:, 0] > 0, drawn[:, 2], drawn[:, 2] - (SIZE - 1))
    assert np.abs(right).max() <= 0.15 * SIZE + 1e-4 and np.abs(right).max() > 0.14 * SIZE
    assert np.abs(drawn[:, 5]).max() <= 0.1 * SIZE + 1e-4 and np.abs(drawn[:, 5]).max() > 0.095 * SIZE
    assert np.array_equal(drawn[:, 0] < 0, flipped)
    plain = np.zeros(4000, bool)
    zoomed = augment.sample_transforms(np.random.default_rng(0), 4000, SIZE, flipped=plain, **(ranges | {"zoom": 0.1}))
    assert zoomed[:, 0].min() >= 0.9 and zoomed[:, 0].max() <= 1.1 and zoomed[:, 4].std() > 0.05


def test_no_augmentation_is_the_image_itself():
    off = {"rotation": 0, "width_shift": 0, "height_shift": 0, "shear": 0, "zoom": 0, "flipped": np.zeros(3, bool)}
    images = smooth_images(3)
    transforms = augment.sample_transforms(np.random.default_rng(0), 3, SIZE, **off)
    np.testing.assert_array_equal(augment.transform(images, transforms, "nearest", "bilinear"), images)


def test_alternating_flip_shows_each_image_both_ways_in_turn():
    epochs = [augment.choose_flipped("alternating", 1, epoch, 1000) for epoch in range(4)]
    assert 0.4 < epochs[0].mean() < 0.6
    assert np.array_equal(epochs[0], ~epochs[1]) and np.array_equal(epochs[0], epochs[2])


def test_alternating_flip_depends_on_the_seed():
    first, second = (augment.choose_flipped("alternating", seed, 0, 1000) for seed in (1, 2))
    assert 0.4 < (first == second).mean() < 0.6


def test_no_flip_mirrors_nothing():
    assert not augment.choose_flipped("none", 1, 3, 10).any()


def test_random_shifts_stay_within_the_fraction_of_the_side_and_differ():
    images = np.zeros((200, 28, 28, 1), np.float32)
    images[:, 14, 9] = 1
    moved = augment.shift(images, 0.1, np.random.default_rng(0)).numpy()[..., 0]
    np.testing.assert_allclose(moved.sum(axis=(1, 2)), 1, rtol=1e-4)
    places = np.arange(28)
    down = moved.sum(axis=2) @ places - 14
    right = moved.sum(axis=1) @ places - 9
    for way in (down, right):
        assert -2.8 <= way.min() < -2.5 and 2.5 < way.max() <= 2.8
    assert abs(np.corrcoef(down, right)[0, 1]) < 0.2


def test_a_shift_of_0_is_the_image_itself():
    images = np.random.default_rng(0).random((3, 28, 28, 1), np.float32)
    np.testing.assert_array_equal(augment.shift(images, 0.0, np.random.default_rng(0)), images)
