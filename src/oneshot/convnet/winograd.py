"""3x3 convolution (stride 1, 'same' padding) with a quarter of the multiplications: Winograd's F(4x4, 3x3).

Each 4x4 tile of the output depends on a 6x6 tile of the input. With the constant matrices B, G, A of Lavin & Gray,
"Fast Algorithms for Convolutional Neural Networks" (2015, arXiv:1509.09308, section 4.3),

    Y = A^T [ (G g G^T) * (B^T d B) ] A        d (6, 6) input tile, g (3, 3) filter, Y (4, 4) output tile,

so after the transforms there are 36 products per tile and channel pair instead of 16 * 9 = 144, and over all tiles
and channels they are 36 ordinary matrix products ("planes"). Everything is float32, NHWC.

Why the code looks as it does (docs/recipe.md lists everything that was tried):

- B^T d B reads overlapping tiles: their entries are gathered first, whole rows of channels at a time, which TensorFlow
  does with all threads; B^T d B is then one matrix product with the Kronecker square of B. Compiled by XLA, the
  transform ran on one thread and took 1.6 times as long.
- The transforms of output and filter are one constant matrix product each too, with the Kronecker square of A or G.
- The gradient to the images is the same convolution with the rotated filter; only the gradient to the filter needs
  the transposed transforms. Automatic differentiation of the forward pass is slower than the built-in convolution.
- Rounding: the largest error against the direct convolution is about 1e-4 standard deviations of the result.
"""

import numpy as np

from oneshot.training.tensorflow import tf

TILE = 4  # outputs per tile and axis; input tiles are TILE + 2 wide

B_T = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
    np.float32,
)
G = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ],
    np.float32,
)
A_T = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]], np.float32)
BB = np.kron(B_T, B_T)  # (36, 36)
GG = np.kron(G, G)  # (36, 9)
AA = np.kron(A_T, A_T)  # (16, 36)


@tf.custom_gradient
def convolve(images, kernel):
    """Convolve with 'same' padding, as tf.nn.conv2d(images, kernel, 1, "SAME") does.

    images: (n, side, side, c) float32; side must be known and a multiple of 4, n may be unknown while tracing
    kernel: (3, 3, c, k) float32
    returns (n, side, side, k); differentiable once in both arguments
    """
    side = images.shape[1]
    if side is None or side % TILE or images.shape[2] != side:
        raise ValueError(f"convolve needs square images with a side that is a multiple of {TILE}, got {images.shape}")
    if tuple(kernel.shape[:3]) != (3, 3, images.shape[3]):
        raise ValueError(f"convolve needs a kernel (3, 3, {images.shape[3]}, k), got {kernel.shape}")
    planes = _input_planes(images)

    def gradient(d_out):
        turned = tf.transpose(kernel[::-1, ::-1], (0, 1, 3, 2))
        d_images = _output_tiles(tf.matmul(_input_planes(d_out), _kernel_planes(turned)), side)
        d_planes = tf.matmul(planes, _output_planes(d_out), transpose_a=True)
        d_kernel = tf.matmul(GG, tf.reshape(d_planes, (36, -1)), transpose_a=True)
        return d_images, tf.reshape(d_kernel, kernel.shape)

    return _output_tiles(tf.matmul(planes, _kernel_planes(kernel)), side), gradient


def _input_planes(images):
    """B^T d B for every tile: (n, side, side, c) -> (36, n * tiles, c)."""
    side, channels = images.shape[1], images.shape[3]
    tiles, padded_side = side // TILE, side + TILE
    padded = tf.pad(images, [[0, 0], [1, TILE - 1], [1, TILE - 1], [0, 0]])
    # Where in an image each entry of each of its tiles is: (6 * 6, tiles * tiles).
    start = TILE * np.arange(tiles, dtype=np.int32)
    row = np.add.outer(np.arange(TILE + 2, dtype=np.int32), start)
    places = (padded_side * row[:, None, :, None] + row[None, :, None, :]).reshape(36, 1, -1)
    images_at = padded_side**2 * tf.range(tf.shape(images)[0])
    entries = tf.gather(tf.reshape(padded, (-1, channels)), places + images_at[:, None])
    return tf.reshape(tf.matmul(BB, tf.reshape(entries, (36, -1))), (36, -1, channels))


def _kernel_planes(kernel):
    """G g G^T: (3, 3, c, k) -> (36, c, k)."""
    _, _, c, k = kernel.shape
    return tf.reshape(tf.matmul(GG, tf.reshape(kernel, (9, -1))), (36, c, k))


def _output_tiles(planes, side):
    """A^T m A, tiles put in place: (36, n * tiles, k) -> (n, side, side, k)."""
    tiles, k = side // TILE, planes.shape[2]
    pixels = tf.matmul(AA, tf.reshape(planes, (36, -1)))
    pixels = tf.reshape(pixels, (TILE, TILE, -1, tiles, tiles, k))
    return tf.reshape(tf.transpose(pixels, (2, 3, 0, 4, 1, 5)), (-1, side, side, k))


def _output_planes(d_out):
    """The adjoint of _output_tiles: (n, side, side, k) -> (36, n * tiles, k)."""
    side, k = d_out.shape[1], d_out.shape[3]
    tiles = side // TILE
    pixels = tf.transpose(tf.reshape(d_out, (-1, tiles, TILE, tiles, TILE, k)), (2, 4, 0, 1, 3, 5))
    return tf.reshape(tf.matmul(AA, tf.reshape(pixels, (16, -1)), transpose_a=True), (36, -1, k))
