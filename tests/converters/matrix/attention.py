"""Products of two activations, as binary attention has them."""

from matrix.family import SIGNS, Family, block, norm, op, sign
from matrix.quantizers import ternary

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasTensor

layers = tf.keras.layers
TOKENS = (24, 40)


def _product(x: KerasTensor) -> KerasTensor:
    """BiBERT: the product of two binarized activations."""
    signs = op(sign)(layers.Reshape((48, 40))(x))
    return op(lambda y: tf.matmul(y, y, transpose_b=True))(signs)


def _linear(units: int, x: KerasTensor) -> KerasTensor:
    return larq.layers.QuantDense(units, use_bias=False, **SIGNS)(x)


def _scores(x: KerasTensor) -> KerasTensor:
    return op(lambda pair: tf.matmul(*pair, transpose_b=True))([op(sign)(_linear(32, x)) for _ in range(2)])


def _weighted(x: KerasTensor) -> KerasTensor:
    """BiT: probabilities of 0 or 1 choose among binary values."""
    chosen = op(lambda y: tf.where(tf.nn.softmax(y) >= 0.04, 1.0, 0.0))(_scores(x))
    return op(lambda pair: tf.matmul(*pair))([chosen, op(sign)(_linear(32, x))])


def _float_values(x: KerasTensor) -> KerasTensor:
    chosen = op(lambda y: tf.where(y >= 0, 1.0, 0.0))(_scores(x))
    return op(lambda pair: tf.matmul(*pair))([chosen, layers.Dense(32)(x)])


def _ternary_product(x: KerasTensor) -> KerasTensor:
    signs, thirds = op(sign)(_linear(32, x)), op(ternary)(x)
    return op(lambda pair: tf.matmul(pair[0], pair[1], transpose_a=True))([signs, thirds])


def _heads(x: KerasTensor) -> KerasTensor:
    """Two heads: [N, T, C] to [N, 2, T, C / 2]."""
    return layers.Permute((2, 1, 3))(layers.Reshape((24, 2, 16))(x))


def _two_heads(x: KerasTensor) -> KerasTensor:
    query, key, value = (op(sign)(_heads(_linear(32, x))) for _ in range(3))
    scores = op(lambda pair: tf.matmul(*pair, transpose_b=True))([query, key])
    chosen = op(lambda y: tf.where(y >= 0, 1.0, 0.0))(scores)
    context = op(lambda pair: tf.matmul(*pair))([chosen, value])
    context = layers.Reshape((24, 32))(layers.Permute((2, 1, 3))(context))
    return layers.Add()([layers.Dense(40)(x), norm()(_linear(40, context))])


FAMILIES = [
    Family(
        "a product of binary activations",
        block(_product),
        {"LceBconv2d": 0, "LceQuantize": 1, "LceDequantize": 1, "BATCH_MATMUL": 1, "SIGN": 0},
    ),
    Family("scores: binary queries by binary keys", block(_scores, TOKENS), {"LceDequantize": 2, "BATCH_MATMUL": 1}),
    Family(
        "{0, 1} probabilities by binary values",
        block(_weighted, TOKENS),
        {"LceDequantize": 5, "BATCH_MATMUL": 3, "SIGN": 0},
    ),
    Family("binary by ternary activations", block(_ternary_product, TOKENS), refused="an operand takes"),
    Family("attention of two heads", block(_two_heads, TOKENS), {"LceDequantize": 5, "BATCH_MATMUL": 3, "SIGN": 0}),
    Family(
        "{0, 1} probabilities by float values",
        block(_float_values, TOKENS),
        refused="BATCH_MATMUL",
    ),
]
