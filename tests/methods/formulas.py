"""What tests of methods share: edge inputs, gradients through a tape, and the sign in NumPy."""

import numpy as np

from mobile_bnn.legacy_keras import tf

# Zeros of both signs, tiny ones (TensorFlow takes subnormal ones for 0), ties at 1 and ½, and saturated ones.
X = np.array(
    [sign * size for size in (1e30, 3.0, 1.5, 1.0, 0.999, 0.5, 0.25, 1e-30, 1e-37, 0.0) for sign in (-1, 1)], np.float32
)


def forward_and_gradient(function, x, upstream=None):
    """A function's values, and the gradient of their sum or of their product with `upstream`."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = function(x)
    gradient = tape.gradient(y, x, None if upstream is None else tf.constant(upstream))
    return y.numpy(), np.zeros_like(x) if gradient is None else gradient.numpy()


def sign(x):
    """-0.0 >= 0: binarizes to +1, as in Keras."""
    return np.where(x >= 0, 1.0, -1.0)


def kernels(seed=0):
    """Kernels [3, 3, 4, 5]: a random one with an off-centre filter, one with a dead filter; and of one weight."""
    generator = np.random.default_rng(seed)
    random = generator.normal(0, 0.6, (3, 3, 4, 5))
    random[..., 1] += 0.4
    dead = random.copy()
    dead[..., 2] = 0
    edges = np.resize(X[(np.abs(X) < 10)], (3, 3, 4, 5))
    return [
        each.astype(np.float32) for each in (random, dead, edges, np.full((1, 1, 1, 3), 0.3), -np.ones((1, 1, 1, 1)))
    ]


def filters(kernel):
    """A kernel as a matrix in float64, a column for each filter."""
    return kernel.reshape(-1, kernel.shape[-1]).astype(np.float64)
