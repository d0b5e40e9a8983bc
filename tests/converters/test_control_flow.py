"""Loops, branches and several signatures: every subgraph is kept, lowered and compared by itself."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter as LiteRT
from ai_edge_litert.interpreter import load_delegate
from matrix.control_flow import BinaryCell, Either, Mapped, Repeated

from mobile_bnn import converters
from mobile_bnn.converters.graph.subgraph_constants import called_subgraphs
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.converters.source import Source
from mobile_bnn.converters.verification.instrument import LceRunner
from mobile_bnn.converters.verification.subgraphs import ControlFlow, Subgraphs
from mobile_bnn.errors import MobileBnnError
from mobile_bnn.legacy_keras import larq, tf
from mobile_bnn.runtime import Interpreter, library_path

pytestmark = pytest.mark.filterwarnings("ignore")

layers = tf.keras.layers
signs = {"input_quantizer": "ste_sign", "kernel_quantizer": "ste_sign"}


def of(shape, *nets):
    x = y = layers.Input(shape)
    for net in nets:
        y = net(y)
    return tf.keras.Model(x, y)


def dense():
    return larq.layers.QuantDense(32, name="dense", **signs)


# By name: a model, and how many LceBconv2d are in each of its subgraphs.
MODELS = {
    "gru": (lambda: of((8, 6), layers.GRU(16), dense()), [1, 0, 0]),
    "lstm": (lambda: of((8, 6), layers.LSTM(16), dense()), [1, 0, 0]),
    "bidirectional lstm": (lambda: of((8, 6), layers.Bidirectional(layers.LSTM(16)), dense()), [1, 0, 0, 0, 0]),
    "convlstm": (
        lambda: of((4, 8, 8, 3), layers.ConvLSTM2D(8, 3), larq.layers.QuantConv2D(32, 3, **signs)),
        [1, 0, 0],
    ),
    "binary rnn": (lambda: of((8, 32), layers.RNN(BinaryCell(64)), layers.Dense(5)), [0, 0, 2]),
    "unrolled": (lambda: of((4, 32), layers.RNN(BinaryCell(64), unroll=True), layers.Dense(5)), [7]),
    "sequences": (lambda: of((8, 32), layers.RNN(BinaryCell(64), return_sequences=True)), [0, 0, 2]),
    "bidirectional": (lambda: of((8, 32), layers.Bidirectional(layers.RNN(BinaryCell(64)))), [0, 0, 2, 0, 2]),
    "distributed": (
        lambda: of((3, 8, 8, 32), layers.TimeDistributed(larq.layers.QuantConv2D(16, 3, **signs))),
        [1],
    ),
    "while_loop": (lambda: of((6, 6, 32), Repeated()), [0, 0, 1]),
    "cond": (lambda: of((32,), Either()), [0, 1, 1]),
    "map_fn": (lambda: of((4, 32), Mapped()), [0, 0, 1]),
}


@pytest.mark.parametrize(
    ("name", "batch"), [*((name, 1) for name in MODELS), ("binary rnn", 2), ("while_loop", 2), ("cond", 2)]
)
def test_every_subgraph_is_lowered_and_computes_what_keras_computes(name, batch, tmp_path):
    make, bconvs = MODELS[name]
    tf.keras.utils.set_random_seed(1)
    model, path = make(), tmp_path / "model.tflite"
    conversion = converters.convert(model, path, batch_size=batch)
    assert not conversion.float_layers
    graphs = TfliteModel.read(path).graphs
    assert [sum(each.op_type == "LceBconv2d" for each in graph.operators) for graph in graphs] == bconvs
    assert {layer.subgraph for layer in conversion.layers} == {number for number, some in enumerate(bconvs) if some}
    assert sum(layer.bits for layer in conversion.layers)
    assert not sum(layer.flips - layer.ties - layer.consequences for layer in conversion.layers)
    x = np.random.default_rng(2).normal(size=(4, *model.input_shape[1:])).astype(np.float32)
    with Interpreter(path) as interpreter:
        for start in range(0, 4, batch):
            part = x[start : start + batch]
            np.testing.assert_allclose(interpreter.predict(part), model(part).numpy(), rtol=1e-5, atol=1e-5)
            if batch == 1:
                (theirs,) = LceRunner(path.read_bytes()).run([part])
                np.testing.assert_allclose(theirs, model(part).numpy(), rtol=1e-5, atol=1e-5)


def test_a_filter_is_stored_once_and_in_bits_only(tmp_path):
    """It came as an input of the loop: neither that nor a float copy is left."""
    tf.keras.utils.set_random_seed(1)
    converters.convert(of((6, 6, 32), Repeated()), tmp_path / "model.tflite")
    main, _, body = TfliteModel.read(tmp_path / "model.tflite").graphs
    constants = [tensor for graph in (main, body) for tensor in graph.tensors() if tensor.content is not None]
    assert max(tensor.content.size for tensor in constants if tensor.dtype == np.float32) < 32 * 32 * 9 * 4
    (loop,) = (operator for operator in main.operators if operator.op_type == "WHILE")
    assert len(loop.inputs) == len(loop.outputs) == len(body.inputs) == len(body.outputs)


@pytest.fixture(scope="module")
def recurrent():
    """A lowering of a binary RNN, and its file."""
    tf.keras.utils.set_random_seed(1)
    source = Source.of_keras(of((8, 32), layers.RNN(BinaryCell(64)), layers.Dense(5)))
    lowered, lowering = source.lower()
    return lowering, lowered.write()


def test_a_body_runs_on_the_inputs_of_each_turn(recurrent):
    lowering, _ = recurrent
    x = np.random.default_rng(0).normal(size=(3, 8, 32)).astype(np.float32)
    calls = ControlFlow(lowering.float_file()).calls([x])
    turns = [call for call in calls if call.subgraph == 2]
    assert [call.batch for call in turns] == [sample for sample in range(3) for _ in range(8)]
    counters = [int(call.inputs[1]) for call in turns]
    assert counters == [*range(8)] * 3


@pytest.mark.parametrize("what", ["sign of a filter", "bias"])
def test_what_is_wrong_in_a_loop_is_found_there(recurrent, what):
    lowering, flatbuffer = recurrent
    x = np.random.default_rng(0).normal(size=(4, 8, 32)).astype(np.float32)
    right = Subgraphs(lowering, flatbuffer)
    right.add([x])
    assert not right.errors
    model = TfliteModel.read(flatbuffer)
    body = model.graphs[2]
    bconv = next(operator for operator in body.operators if operator.op_type == "LceBconv2d")
    if what == "bias":
        bconv.inputs[3].set_values(bconv.inputs[3].values + np.float32(2))
        wrong = Subgraphs(lowering, model.write())
        wrong.add([x])
        assert wrong.errors
    else:
        filters = bconv.inputs[1].values.copy()
        filters[0, 0, 0, 0] ^= 1 << 5
        bconv.inputs[1].set_values(filters)
        with pytest.raises(MobileBnnError, match="filters that no layer of the model has"):
            Subgraphs(lowering, model.write())


def test_the_branch_that_no_sample_takes_is_compared_on_random_inputs():
    tf.keras.utils.set_random_seed(1)
    lowered, lowering = Source.of_keras(of((32,), Either())).lower()
    subgraphs = Subgraphs(lowering, lowered.write())
    subgraphs.add([np.ones((2, 32), np.float32)])
    assert {check.layer: check.bits for check in subgraphs.checks()} == {"yes": 64, "no": 8 * 32}


class Module(tf.Module):
    """No Keras: a loop of binary products, and two functions of the same weights."""

    def __init__(self):
        super().__init__()
        generator = np.random.default_rng(0)
        self.weights = tf.Variable(np.where(generator.random((64, 64)) < 0.5, -0.5, 0.5).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((1, 64), name="z"), tf.TensorSpec((1, 64), name="a")])
    def loop(self, z, a):
        def step(turn, x):
            return turn + 1, 0.1 * tf.matmul(tf.where(x >= 0.0, 1.0, -1.0), self.weights) + a

        return {"second": tf.while_loop(lambda turn, x: turn < 4, step, [0, z])[1], "first": z - a}

    @tf.function(input_signature=[tf.TensorSpec((1, 64), name="x")])
    def once(self, x):
        return {"y": tf.matmul(tf.where(x >= 0.0, 1.0, -1.0), self.weights) + 0.25}


def from_functions(module):
    functions = [module.loop.get_concrete_function(), module.once.get_concrete_function()]
    return tf.lite.TFLiteConverter.from_concrete_functions(functions[:1], module).convert()


def from_saved_model(module, folder, keys):
    functions = {"loop": module.loop, "once": module.once}
    tf.saved_model.save(module, str(folder), {key: functions[key] for key in keys})
    return tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=keys).convert()


def test_a_float_file_with_a_loop_becomes_binary_within_it(tmp_path):
    module, path = Module(), tmp_path / "binary.tflite"
    conversion = converters.convert(from_functions(module), path)
    assert [layer.subgraph for layer in conversion.layers] == [2]
    z, a = np.random.default_rng(1).normal(size=(2, 1, 64)).astype(np.float32)
    wanted = module.loop(tf.constant(z), tf.constant(a))
    with Interpreter(path) as interpreter:
        computed = interpreter.predict({"z": z, "a": a})
    for values in wanted.values():
        assert any(np.allclose(values, ours, atol=1e-5) for ours in computed)


@pytest.mark.parametrize("keys", [["loop", "once"], ["once", "loop"]])
def test_signatures_keep_their_names_order_and_subgraphs(keys, tmp_path):
    module, path = Module(), tmp_path / "binary.tflite"
    floats = from_saved_model(module, tmp_path / "saved", keys)
    conversion = converters.convert(floats, path)
    assert len(conversion.layers) == 2
    before, after = (LiteRT(model_content=content).get_signature_list() for content in (floats, path.read_bytes()))
    assert list(before) == list(after)
    assert before == after
    binary = LiteRT(str(path), experimental_delegates=[load_delegate(str(library_path()))])
    z, a = np.random.default_rng(1).normal(size=(2, 1, 64)).astype(np.float32)
    wanted = module.loop(tf.constant(z), tf.constant(a))
    computed = binary.get_signature_runner("loop")(z=z, a=a)
    for name in ("first", "second"):
        np.testing.assert_allclose(computed[name], wanted[name], atol=1e-5)
    np.testing.assert_allclose(binary.get_signature_runner("once")(x=z)["y"], module.once(tf.constant(z))["y"])


def test_numbers_of_subgraphs_stay_those_that_operators_call(tmp_path):
    floats = from_functions(Module())
    converters.convert(floats, tmp_path / "binary.tflite")
    called = [
        [
            called_subgraphs(operator)
            for operator in TfliteModel.read(file).graphs[0].operators
            if operator.op_type == "WHILE"
        ]
        for file in (floats, tmp_path / "binary.tflite")
    ]
    assert called[0] == called[1] == [[1, 2]]
