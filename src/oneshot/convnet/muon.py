"""Muon for convolutions, Nesterov momentum for the rest: the optimizer of the default recipe.

Jordan, "Muon: An optimizer for hidden layers in neural networks" (2024), and its use in cifar10-airbench (2024): the
momentum of a filter bank, as a matrix, is replaced by the nearest orthogonal one, so all directions learn equally fast.
"""

from oneshot.training.tensorflow import keras, known_size, tf

# The quintic of Jordan's Newton-Schulz iteration.
A, B, C = 3.4445, -4.7750, 2.0315


def orthogonalize(matrix: tf.Tensor, steps: int) -> tf.Tensor:
    """Bring the singular values of a matrix near 1 by Newton-Schulz steps: (m, n) float32 -> (m, n)."""
    tall = known_size(matrix, 0) > known_size(matrix, 1)
    x = tf.transpose(matrix) if tall else matrix
    x /= tf.norm(x) + 1e-7
    for _ in range(steps):
        gram = tf.matmul(x, x, transpose_b=True)
        x = A * x + tf.matmul(B * gram + C * tf.matmul(gram, gram), x)
    return tf.transpose(x) if tall else x


class Muon(keras.optimizers.Optimizer):
    """Muon for the variables in muon_paths, Nesterov SGD for all others.

    learning_rate: a schedule or a number, used for both; multiples: factors of the rate, by the path of a variable.
    The filters of a convolution, (3, 3, C, K), are kept at norm sqrt(K), since only their direction matters before
    batch norm.
    """

    MOMENTUM = 0.9  # of Nesterov SGD
    MUON_MOMENTUM = 0.6
    STEPS = 3  # of Newton-Schulz

    def __init__(self, learning_rate, *, muon_paths: set[str], multiples: dict[str, float]):
        super().__init__(learning_rate=learning_rate, name="muon")
        self.muon_paths, self.paths_multiples = muon_paths, multiples

    def build(self, variables):
        """Make one buffer per variable."""
        if self.built:
            return
        super().build(variables)
        self.buffers = [self.add_variable_from_reference(variable, name="momentum") for variable in variables]
        self.multiples = [self.paths_multiples.get(variable.path, 1.0) for variable in variables]
        self.uses_muon = [variable.path in self.muon_paths for variable in variables]

    def update_step(self, gradient, variable, learning_rate):
        """Update one variable by its gradient."""
        index: int = self._get_variable_index(variable)
        buffer = self.buffers[index]
        rate = tf.cast(learning_rate, tf.float32) * self.multiples[index]
        if self.uses_muon[index]:
            buffer.assign(self.MUON_MOMENTUM * buffer + gradient)
            direction = gradient + self.MUON_MOMENTUM * buffer
            filters = variable.shape[-1]
            update = orthogonalize(tf.reshape(direction, (-1, filters)), self.STEPS)
            kernel = variable * (float(filters) ** 0.5 / tf.norm(tf.convert_to_tensor(variable)))
            variable.assign(kernel - rate * tf.reshape(update, variable.shape))
        else:
            tf.raw_ops.ResourceApplyKerasMomentum(
                var=variable.handle,
                accum=buffer.value.handle,
                lr=rate,
                grad=gradient,
                momentum=self.MOMENTUM,
                use_nesterov=True,
            )


@keras.saving.register_keras_serializable("oneshot")
class Triangle(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises linearly from 0 to its peak and falls linearly to 0."""

    def __init__(self, peak: float, steps: int, warmup: float):
        """peak: highest rate; steps: of the whole training; warmup: fraction of them spent rising."""
        self.peak, self.steps, self.warmup = peak, steps, warmup

    def __call__(self, step):
        """Return the rate of a step, counted from 0."""
        done = (tf.cast(step, tf.float32) + 1) / (self.steps + 1)
        rising = done / max(self.warmup, 1e-6)
        falling = (1 - done) / max(1 - self.warmup, 1e-6)
        return self.peak * tf.minimum(rising, falling)

    def get_config(self):
        """Return the arguments that recreate the schedule."""
        return {"peak": self.peak, "steps": self.steps, "warmup": self.warmup}
