"""What the re-statements of the nets' blocks share: convolution, batch norm and sign in NumPy, weights by name."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def sign(x):
    """0 binarizes to +1, as in Keras."""
    return np.where(x >= 0, 1.0, -1.0)


def conv(x, kernel, strides=1, pads="same", pad_value=0.0, groups=1):
    """A convolution [N, H, W, C] by [k, k, C / groups, O]; pads: "same" as TensorFlow's, "symmetric" as PyTorch's."""
    size = kernel.shape[0]
    around = [(size // 2, size // 2)] * 2
    if pads == "same":
        total = [max((-(-n // strides) - 1) * strides + size - n, 0) for n in x.shape[1:3]]
        around = [(each // 2, each - each // 2) for each in total]
    x = np.pad(x, ((0, 0), *around, (0, 0)), constant_values=pad_value)
    windows = sliding_window_view(x, (size, size), (1, 2))[:, ::strides, ::strides]
    pairs = zip(np.split(windows, groups, 3), np.split(kernel, groups, 3), strict=True)
    return np.concatenate([np.einsum("nhwcyx,yxco->nhwo", part, filters) for part, filters in pairs], -1)


def batch_norm(x, weights, epsilon=1e-5):
    """(x − mean)/√(variance + ε)·γ + β by the moving statistics."""
    scale = weights.get("gamma", 1.0) / np.sqrt(weights["moving_variance"] + epsilon)
    return (x - weights["moving_mean"]) * scale + weights["beta"]


def halved(x):
    """The means of 2x2 pixels."""
    n, h, w, c = x.shape
    return x.reshape(n, h // 2, 2, w // 2, 2, c).mean((2, 4))


def prelu(x, slope):
    """X above 0, slope·x below."""
    return np.where(x >= 0, x, slope * x)


def mean_sign(kernel):
    """mean|w|·sign(w) of each filter."""
    return np.abs(kernel).mean((0, 1, 2)) * sign(kernel)


def weights_of(model):
    """Each layer's latent weights by the last part of their names, float64."""
    return {
        layer.name: {
            variable.name.split("/")[-1].split(":")[0]: values.astype(np.float64)
            for variable, values in zip(layer.weights, layer.get_weights(), strict=True)
        }
        for layer in model.layers
    }


def randomized(model, seed=0):
    """The model with noise on every weight and every statistic."""
    generator = np.random.default_rng(seed)
    for layer in model.layers:
        values = [each + 0.3 * generator.normal(size=each.shape).astype(np.float32) for each in layer.get_weights()]
        names = [variable.name for variable in layer.weights]
        layer.set_weights([0.5 + np.abs(v) if "variance" in name else v for v, name in zip(values, names, strict=True)])
    return model
