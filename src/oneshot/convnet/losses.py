"""What the ConvNets' training adds to the cross-entropy of the outputs."""

from oneshot.convnet import net
from oneshot.training.tensorflow import keras, known_size, tf


def feature_norm_spread(representations: tf.Tensor) -> tf.Tensor:
    """Compute how unequal the distances of a batch's representations from their mean are: (b, units) -> float32.

    It is the mean of (distance / mean distance - 1)^2; both means are constants for the gradient. The smaller it is,
    the more Euclidean distances depend on directions only, as after unit length. A form of ring loss (Zheng et al.
    2018), which measures norms from zero and learns their size.
    """
    values = tf.cast(representations, tf.float32)
    around = values - tf.stop_gradient(tf.reduce_mean(values, axis=0))
    # The square root has no gradient at 0.
    distances = tf.sqrt(tf.reduce_sum(around**2, axis=1) + 1e-6)
    return tf.reduce_mean((distances / tf.stop_gradient(tf.reduce_mean(distances)) - 1) ** 2)


def cell_classifier(model: keras.Sequential) -> keras.Variable:
    """Make the kernel of a linear classifier of the cells of a net's last maps: (channels, classes) float32.

    It is used in training only.
    """
    layer = keras.layers.Dense(model.get_layer("logits").units, use_bias=False, name="cells")
    layer.build((None, known_size(model.get_layer(net.LAST_MAPS).output, -1)))
    return layer.kernel


def dense_classification_entropy(maps: tf.Tensor, kernel: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
    """Compute the mean cross-entropy of all cells of maps, each classified by itself.

    maps: (b, H, H, channels); kernel: (channels, classes) float32; targets: (b, classes) float32, shares of the
    classes. It is the dense classification of Lifchitz et al. (2019), "Dense classification and implanting for few-shot
    learning", with a linear classifier.
    """
    cells = tf.reshape(tf.cast(maps, tf.float32), (-1, known_size(maps, 1) ** 2, known_size(kernel, 0)))
    # One product for each image: how oneDNN divides a single one over the threads depends on the size of the cache.
    logs = tf.nn.log_softmax(tf.matmul(cells, kernel))
    return -tf.reduce_mean(tf.reduce_sum(targets * tf.reduce_mean(logs, axis=1), axis=1))
