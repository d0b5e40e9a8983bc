"""Loops and branches, with binary layers inside and after them."""

from collections.abc import Callable

from matrix.family import SIGNS, Family, chain, conv, norm

from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.typing import KerasLayer, KerasModel, KerasTensor

layers = tf.keras.layers
States = list[KerasTensor]


def dense(units: int = 16, **options: object) -> KerasLayer:
    return larq.layers.QuantDense(units, **{**SIGNS, **options})


class BinaryCell(layers.Layer):
    """A recurrent cell of two binary products."""

    def __init__(self, units: int, **options: object) -> None:
        super().__init__(**options)
        self.units = self.state_size = units
        self.forward = dense(units, name="forward")
        self.recurrent = dense(units, use_bias=False, name="recurrent")

    def call(self, x: KerasTensor, states: States) -> tuple[KerasTensor, States]:
        state = tf.tanh(0.11 * (self.forward(x) + self.recurrent(states[0])) + 0.013)
        return state, [state]


class BinaryLstm(layers.Layer):
    """An LSTM cell whose two products are binary."""

    def __init__(self, units: int, **options: object) -> None:
        super().__init__(**options)
        self.units, self.state_size = units, [units, units]
        self.forward = dense(4 * units, name="forward")
        self.recurrent = dense(4 * units, use_bias=False, name="recurrent")

    def call(self, x: KerasTensor, states: States) -> tuple[KerasTensor, States]:
        h, c = states
        i, f, g, o = tf.split(0.13 * (self.forward(x) + self.recurrent(h)) + 0.017, 4, axis=-1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(o) * tf.tanh(c)
        return h, [h, c]


class BinaryGru(layers.Layer):
    """A GRU cell, whose candidate reads the sign of what the reset gate leaves of the state."""

    def __init__(self, units: int, **options: object) -> None:
        super().__init__(**options)
        self.units = self.state_size = units
        self.forward = dense(3 * units, name="forward")
        self.gates = dense(2 * units, use_bias=False, name="gates")
        self.candidate = dense(units, use_bias=False, name="candidate")

    def call(self, x: KerasTensor, states: States) -> tuple[KerasTensor, States]:
        h = states[0]
        update, reset, new = tf.split(0.11 * self.forward(x) + 0.013, 3, axis=-1)
        z, r = tf.split(0.12 * self.gates(h), 2, axis=-1)
        z, r = tf.sigmoid(update + z), tf.sigmoid(reset + r)
        new = tf.tanh(new + 0.09 * self.candidate(r * h - 0.021))
        h = z * h + (1 - z) * new
        return h, [h]


class Repeated(layers.Layer):
    """One convolution in a tf.while_loop, its filter an invariant of the loop; dividing by 16 rounds nothing."""

    def __init__(self, turns: int | None = 3, **options: object) -> None:
        super().__init__(**options)
        self.turns = turns
        self.conv = conv(32, use_bias=True, name="repeated")
        self.conv.build((None, 6, 6, 32))

    def call(self, x: KerasTensor) -> KerasTensor:
        turns = self.turns or 1 + tf.cast(tf.reduce_max(x) > 2, tf.int32)
        return tf.while_loop(lambda turn, y: turn < turns, lambda turn, y: (turn + 1, self.conv(y) / 16 + y), [0, x])[1]


class Either(layers.Layer):
    """A layer for each branch of a tf.cond."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.yes, self.no = dense(name="yes"), dense(name="no")
        self.yes.build((None, 32))
        self.no.build((None, 32))

    def call(self, x: KerasTensor) -> KerasTensor:
        return tf.cond(tf.reduce_sum(x) > 0, lambda: self.yes(x), lambda: self.no(x))


class EitherInALoop(Either):
    """A tf.cond in a tf.while_loop."""

    def call(self, x: KerasTensor) -> KerasTensor:
        def step(turn: KerasTensor, total: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
            y = x + tf.cast(turn, tf.float32) * 0.51 - 0.7
            return turn + 1, total + tf.cond(tf.reduce_sum(y) > 0, lambda: self.yes(y), lambda: self.no(y))

        return tf.while_loop(lambda turn, _: turn < 3, step, [0, tf.zeros_like(x[:, :16])])[1]


class OneOfThree(layers.Layer):
    """tf.switch_case, which TFLite has no operator for."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.each = [dense(name=f"branch_{number}") for number in range(3)]
        for layer in self.each:
            layer.build((None, 32))

    def call(self, x: KerasTensor) -> KerasTensor:
        chosen = tf.cast(tf.clip_by_value(tf.reduce_sum(x), 0.0, 2.0), tf.int32)
        return tf.switch_case(chosen, [lambda layer=layer: layer(x) for layer in self.each])


class Mapped(layers.Layer):
    """tf.map_fn, whose loop is given lists that grow."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.dense = dense(name="mapped")
        self.dense.build((None, 32))

    def call(self, x: KerasTensor) -> KerasTensor:
        return tf.transpose(tf.map_fn(self.dense, tf.transpose(x, [1, 0, 2])), [1, 0, 2])


class Twice(layers.Layer):
    """A loop in a loop, with the product in the inner one."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        self.dense = dense(32, name="inner")
        self.dense.build((None, 32))

    def call(self, x: KerasTensor) -> KerasTensor:
        def inner(turn: KerasTensor, y: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
            return turn + 1, y * 0.5 + 0.07 * self.dense(y)

        def outer(turn: KerasTensor, y: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
            return turn + 1, tf.while_loop(lambda t, _: t < 2, inner, [0, y])[1] + x

        return tf.while_loop(lambda turn, _: turn < 2, outer, [0, x])[1]


def of(shape: tuple[int, ...], *parts: KerasLayer | Callable[[], KerasLayer]) -> Callable[[], KerasModel]:
    return chain(*parts, shape=shape)


def rnn(cell: type[KerasLayer], units: int = 32, **options: object) -> Callable[[], KerasLayer]:
    return lambda: layers.RNN(cell(units), **options)


STEPS = (5, 32)


def _in(count: int, **others: int) -> dict[str, int]:
    return {"LceBconv2d": count, "FULLY_CONNECTED": 0, "CONV_2D": 0, **others}


FAMILIES = [
    Family("LSTM, QuantDense", of((6, 6), lambda: layers.LSTM(16), dense), {"LceBconv2d": 1, "WHILE": 1}),
    Family("GRU, QuantDense", of((6, 6), lambda: layers.GRU(16), dense), {"LceBconv2d": 1, "WHILE": 1}),
    Family("ConvLSTM2D, conv", of((3, 6, 6, 3), lambda: layers.ConvLSTM2D(8, 3), conv), {"LceBconv2d": 1, "WHILE": 1}),
    Family("binary RNN", of(STEPS, rnn(BinaryCell)), _in(2, WHILE=1)),
    Family("binary LSTM", of(STEPS, rnn(BinaryLstm)), _in(2, WHILE=1)),
    Family("binary GRU", of(STEPS, rnn(BinaryGru)), _in(3, WHILE=1)),
    Family("binary LSTM, all steps, QuantDense", of(STEPS, rnn(BinaryLstm, return_sequences=True), dense), _in(3)),
    Family("binary LSTM, unrolled", of(STEPS, rnn(BinaryLstm, unroll=True)), {"WHILE": 0, "FULLY_CONNECTED": 0}),
    Family("binary LSTM, both ways", of(STEPS, lambda: layers.Bidirectional(rnn(BinaryLstm)())), _in(4, WHILE=2)),
    Family("two binary LSTMs", of(STEPS, rnn(BinaryLstm, return_sequences=True), rnn(BinaryLstm)), _in(4, WHILE=2)),
    Family("binary LSTM, batches of 4", of(STEPS, rnn(BinaryLstm)), _in(2, WHILE=1), batch_size=4),
    Family("tf.while_loop", of((6, 6, 32), Repeated), _in(1, WHILE=1)),
    Family("tf.while_loop, then BN, conv", of((6, 6, 32), Repeated, norm, conv), _in(2, WHILE=1)),
    Family("tf.while_loop of as many turns as the image says", of((6, 6, 32), lambda: Repeated(None)), _in(1, WHILE=1)),
    Family("tf.while_loop, batches of 2", of((6, 6, 32), Repeated), _in(1, WHILE=1), batch_size=2),
    Family("tf.while_loop in a tf.while_loop", of((32,), Twice), _in(1, WHILE=2)),
    Family("tf.cond", of((32,), Either), _in(2, IF=1)),
    Family("tf.cond in a tf.while_loop", of((32,), EitherInALoop), _in(2, WHILE=1, IF=1)),
    Family("tf.switch_case", of((32,), OneOfThree), refused="TensorFlow cannot convert the model to float"),
    Family("tf.map_fn", of((4, 32), Mapped), _in(1, WHILE=1)),
]
