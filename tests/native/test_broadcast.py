"""Element-wise operators whose operands are broadcast, after every resize of a batch: LiteRT's own are the oracle."""

import itertools
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Delegate, Interpreter, OpResolverType
from numpy_bconv import BconvCase, pack
from single_operator import OperatorSpec, TensorSpec, chain, create_interpreter, invoke_outputs, operators_of

HEIGHT, WIDTH, CHANNELS = 3, 5, 40
CASE = BconvCase(1, size=(HEIGHT, WIDTH), channels=CHANNELS, outputs=CHANNELS)
BATCHES = (1, 3, 1, 2)
# The operand's shape for a batch of N. It is computed, as far as the library knows: an input of the model.
OPERANDS: dict[str, Callable[[int], tuple[int, ...]]] = {
    "one image": lambda n: (1, HEIGHT, WIDTH, CHANNELS),
    "an image each": lambda n: (n, HEIGHT, WIDTH, CHANNELS),
    "one row": lambda n: (1, 1, 1, CHANNELS),
    "a row each": lambda n: (n, 1, 1, CHANNELS),
    "one column": lambda n: (1, HEIGHT, 1, CHANNELS),
    "a column each": lambda n: (n, HEIGHT, 1, CHANNELS),
    "one line": lambda n: (1, 1, WIDTH, CHANNELS),
    "a line each": lambda n: (n, 1, WIDTH, CHANNELS),
    "one map": lambda n: (1, HEIGHT, WIDTH, 1),
    "a number each": lambda n: (n, 1, 1, 1),
    "three dimensions": lambda n: (HEIGHT, WIDTH, CHANNELS),
    "two dimensions": lambda n: (WIDTH, CHANNELS),
    "one dimension": lambda n: (CHANNELS,),
    "a number": lambda n: (1,),
}
OPERATORS = (("ADD", 0), ("SUB", 0), ("MUL", 2), ("PRELU", 0))
# Where the operators stand: fused into a convolution, next to one whose result is an output too, before a sign.
PLACES = ("fused", "beside", "sign")


def add_glue(
    operators: list[OperatorSpec], value: TensorSpec, other: TensorSpec, operator: tuple[str, int], swapped: bool
) -> TensorSpec:
    """Adds the element-wise operator and another one that reads the same operand; returns the result."""
    name, activation = operator
    first, second = (TensorSpec(np.broadcast_shapes(value.shape, other.shape)) for _ in range(2))
    inputs = [other, value] if swapped else [value, other]
    operators.append((name, inputs, first, b"" if name == "PRELU" else {"activation": activation}))
    operators.append(("ADD", [first, other], second, {"activation": 0}))
    return second


def build(place: str, operator: tuple[str, int], operand: Sequence[int], swapped: bool) -> tuple[bytes, bool]:
    """A model of a batch of 1, and whether its first input is the operand."""
    image, other, value = TensorSpec(CASE.signs.shape), TensorSpec(operand), CASE.output_spec()
    words, operators = TensorSpec(CASE.input.shape, np.int32), []
    if place == "sign":
        result = add_glue(operators, image, other, operator, swapped)
        packed = TensorSpec((*result.shape[:-1], -(-CHANNELS // 32)), np.int32)
        operators.append(("LceQuantize", [result], packed, b""))
        return chain(operators, [result]), swapped
    operators.append(("LceQuantize", [image], words, b""))
    operators.append(("LceBconv2d", [words, *CASE.inputs()[1:]], value, CASE.options()))
    result = add_glue(operators, value, other, operator, swapped)
    return chain(operators, [value, result] if place == "beside" else [result]), False


def stock_litert(value: np.ndarray, operand: np.ndarray, operator: tuple[str, int], swapped: bool) -> np.ndarray:
    """The element-wise operators alone, of these very shapes, by LiteRT's own kernels."""
    operators: list[OperatorSpec] = []
    result = add_glue(operators, TensorSpec(value.shape), TensorSpec(operand.shape), operator, swapped)
    resolver = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    interpreter = Interpreter(model_content=chain(operators, [result]), experimental_op_resolver_type=resolver)
    return invoke_outputs(interpreter, *([operand, value] if swapped else [value, operand]))[0]


def convolve(image: np.ndarray) -> np.ndarray:
    """What the convolution makes of the image's signs."""
    case = BconvCase(1, batch=len(image), size=(HEIGHT, WIDTH), channels=CHANNELS, outputs=CHANNELS)
    case.signs = image < 0
    return case.expected()


def check(
    place: str, operator: tuple[str, int], kind: str, swapped: bool, one_image: bool, delegates: dict[str, Delegate]
) -> None:
    """Resizes to one batch after the other; the image may stay a single one while the operand grows."""
    shape_of = OPERANDS[kind]
    model, operand_first = build(place, operator, shape_of(1), swapped)
    generator = np.random.default_rng(0)
    inputs = []
    for batch in BATCHES:
        image = generator.normal(size=(1 if one_image else batch, *CASE.signs.shape[1:])).astype(np.float32)
        operand = generator.normal(size=shape_of(batch)).astype(np.float32)
        value = image if place == "sign" else convolve(image)
        inputs.append((image, operand, value, stock_litert(value, operand, operator, swapped)))
    for name, delegate in delegates.items():
        interpreter = create_interpreter(model, delegate)
        for image, operand, value, expected in inputs:
            outputs = iter(invoke_outputs(interpreter, *([operand, image] if operand_first else [image, operand])))
            what = f"{name}, {image.shape} and {operand.shape}"
            if place == "beside":
                np.testing.assert_array_equal(next(outputs), value, err_msg=what)
            np.testing.assert_array_equal(next(outputs), expected, err_msg=what)
            if place == "sign":
                np.testing.assert_array_equal(next(outputs), pack(expected < 0), err_msg=what)


@pytest.mark.parametrize("kind", OPERANDS)
@pytest.mark.parametrize("place", PLACES)
def test_every_operand_in_every_batch(place: str, kind: str, delegates: dict[str, Delegate]) -> None:
    for operator, swapped in itertools.product(OPERATORS, (False, True)):
        if operator[0] != "PRELU" or not swapped:
            check(place, operator, kind, swapped, False, delegates)


@pytest.mark.parametrize("kind", ["an image each", "a row each", "a column each", "a line each", "a number each"])
@pytest.mark.parametrize("place", PLACES)
def test_an_operand_that_follows_the_batch_where_the_value_does_not(
    place: str, kind: str, delegates: dict[str, Delegate]
) -> None:
    # The result has more images than the convolution. TFLite's PRELU refuses this, and so does ours.
    for operator, swapped in itertools.product(OPERATORS[:3], (False, True)):
        check(place, operator, kind, swapped, True, delegates)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("an image each", ["LceQuantize", "LceBconv2d+ADD+ADD"]),
        ("a row each", ["LceQuantize", "LceBconv2d+ADD+ADD"]),
        # What a convolution cannot read while it runs is repeated, for operators of their own.
        ("one image", ["LceQuantize", "LceBconv2d", "ADD", "ADD"]),
    ],
)
def test_what_is_fused_depends_on_the_batch(kind: str, expected: list[str], library: Path, tmp_path: Path) -> None:
    model, _ = build("fused", ("ADD", 0), OPERANDS[kind](1), False)

    def run(batch: int) -> list[str]:
        inputs = [np.zeros(shape, np.float32) for shape in ((batch, *CASE.signs.shape[1:]), OPERANDS[kind](batch))]
        return operators_of(model, library, tmp_path, *inputs)

    assert run(1) == ["LceQuantize", "LceBconv2d+ADD+ADD"]
    assert run(3) == expected


def test_a_file_of_lces_converter_that_adds_one_image_to_a_batch(delegates: dict[str, Delegate]) -> None:
    import larq_compute_engine as lce

    from mobile_bnn.legacy_keras import larq, tf

    tf.keras.utils.set_random_seed(0)
    images, template = (tf.keras.layers.Input((6, 6, 32), name=name) for name in ("images", "template"))
    binary = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign", "padding": "same", "pad_values": 1.0}
    value = larq.layers.QuantConv2D(32, 3, use_bias=False, **binary)(images)
    shift = tf.keras.layers.Conv2D(32, 3, padding="same")(template)
    keras = tf.keras.Model([images, template], tf.keras.layers.Add()([value, shift]))
    flatbuffer = lce.convert_keras_model(keras)
    generator = np.random.default_rng(0)
    for name, delegate in delegates.items():
        interpreter = create_interpreter(flatbuffer, delegate)
        for batch in BATCHES:
            given = [generator.normal(size=(n, 6, 6, 32)).astype(np.float32) for n in (batch, 1)]
            details = interpreter.get_input_details()
            in_order = given if "images" in details[0]["name"] else given[::-1]
            (actual,) = invoke_outputs(interpreter, *in_order)
            np.testing.assert_allclose(actual, keras(given), rtol=1e-5, atol=1e-5, err_msg=f"{name}, {batch}")
