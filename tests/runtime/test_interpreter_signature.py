"""Several inputs and outputs: by name, and in the order of the file's signature, whatever the order of the graph is."""

import re

import numpy as np
import pytest

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.runtime import Interpreter

NAMES = ["zulu", "alpha", "mike"]


def outputs_of(arrays):
    """What the model computes of its inputs by name: no two of the names or numbers can be swapped unseen."""
    zulu, alpha, mike = (arrays[name] for name in NAMES)
    return {"zdiff": zulu - alpha - 2 * mike, "asum": zulu + alpha, "mprod": zulu * mike}


@pytest.fixture(scope="module")
def saved_model(tmp_path_factory):
    """A SavedModel of three inputs and outputs of one shape, whose order is that of no alphabet."""
    from mobile_bnn.legacy_keras import tf

    class Module(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, 4), name=name) for name in NAMES])
        def compute(self, zulu, alpha, mike):
            return outputs_of({"zulu": zulu, "alpha": alpha, "mike": mike})

    folder = tmp_path_factory.mktemp("saved_model")
    module = Module()
    tf.saved_model.save(module, str(folder), signatures=module.compute)
    return folder


@pytest.fixture(scope="module")
def model(saved_model):
    """The file that TensorFlow's converter makes of it."""
    from mobile_bnn.legacy_keras import tf

    return tf.lite.TFLiteConverter.from_saved_model(str(saved_model)).convert()


@pytest.fixture(scope="module")
def arrays():
    generator = np.random.default_rng(0)
    return {name: generator.normal(size=(3, 4)).astype(np.float32) for name in NAMES}


def check(interpreter, arrays):
    """By name and in a list, for two sizes of a batch."""
    for count in (3, 1):
        given = {name: array[:count] for name, array in arrays.items()}
        expected = outputs_of(given)
        for batch in (given, [given[name] for name in interpreter.input_names]):
            outputs = interpreter.predict(batch)
            assert len(outputs) == len(interpreter.output_names)
            for name, output in zip(interpreter.output_names, outputs, strict=True):
                np.testing.assert_allclose(output, expected[name], rtol=1e-6, atol=1e-6)


def changed(model, change):
    """The file after change(graph), the only one."""
    from mobile_bnn.converters.graph.tflite import TfliteModel

    edited = TfliteModel.read(model)
    change(edited.graphs[0])
    return edited.write()


def test_a_signature_whose_order_is_not_the_graphs(model, arrays):
    with Interpreter(model) as interpreter:
        in_graph = [detail["name"] for detail in interpreter.interpreter.get_input_details()]
        assert in_graph != [f"serving_default_{name}:0" for name in interpreter.input_names], "nothing could be swapped"
        assert interpreter.input_names == ["alpha", "mike", "zulu"]
        assert interpreter.output_names == ["asum", "mprod", "zdiff"]
        assert interpreter.signatures == {
            "serving_default": {"inputs": interpreter.input_names, "outputs": interpreter.output_names}
        }
        check(interpreter, arrays)


def test_details_are_in_the_order_of_the_names(model):
    with Interpreter(model) as interpreter:
        names = [detail["name"] for detail in interpreter.input_details]
        assert names == [f"serving_default_{name}:0" for name in interpreter.input_names]
        tensors = {detail["index"] for detail in interpreter.interpreter.get_output_details()}
        assert {detail["index"] for detail in interpreter.output_details} == tensors


def test_a_dict_may_have_any_order_and_arrays_any_kind_of_list(model, arrays):
    with Interpreter(model) as interpreter:
        expected = interpreter.predict(arrays)
        for given in (dict(reversed(arrays.items())), tuple(arrays[name] for name in interpreter.input_names)):
            np.testing.assert_array_equal(interpreter.predict(given), expected)


def test_the_file_says_the_order(model, arrays):
    def reorder(graph):
        (signature,) = graph.signatures
        signature.inputs = {name: signature.inputs[name] for name in (b"zulu", b"alpha", b"mike")}
        signature.outputs = {name: signature.outputs[name] for name in (b"zdiff", b"asum", b"mprod")}

    with Interpreter(changed(model, reorder)) as interpreter:
        assert interpreter.input_names == NAMES
        assert interpreter.output_names == ["zdiff", "asum", "mprod"]
        assert interpreter.signatures["serving_default"]["inputs"] == NAMES
        check(interpreter, arrays)


def test_serving_default_goes_first_then_the_files_first(model, arrays):
    def rename(first, second):
        def change(graph):
            (signature,) = graph.signatures
            other = signature.copy(lambda tensor: tensor)
            other.inputs = dict(reversed(other.inputs.items()))
            signature.key, other.key = first, second
            graph.signatures.append(other)

        return changed(model, change)

    forwards, backwards = ["alpha", "mike", "zulu"], ["zulu", "mike", "alpha"]
    for first, second, expected in (
        ("train", "serving_default", backwards),
        ("serving_default", "train", forwards),
        ("a", "b", forwards),
    ):
        with Interpreter(rename(first.encode(), second.encode())) as interpreter:
            assert interpreter.input_names == expected
            assert list(interpreter.signatures) == [first, second]
            check(interpreter, arrays)


def test_without_a_signature_tensors_have_their_own_names(model, arrays):
    def forget(graph):
        graph.signatures = []
        for tensor in (*graph.inputs, *graph.outputs):
            tensor.table.name = tensor.name.removeprefix("serving_default_").removesuffix(":0")

    with Interpreter(changed(model, forget)) as interpreter:
        assert sorted(interpreter.input_names) == sorted(NAMES)
        assert interpreter.input_names == [d["name"] for d in interpreter.interpreter.get_input_details()]
        by_name = interpreter.predict(arrays)
        in_order = interpreter.predict([arrays[name] for name in interpreter.input_names])
        np.testing.assert_array_equal(by_name, in_order)


def test_a_signature_that_leaves_something_out_is_not_that_of_the_model(model, arrays):
    def leave_out(graph):
        del graph.signatures[0].outputs[b"asum"]

    with Interpreter(changed(model, leave_out)) as interpreter:
        assert len(interpreter.predict([arrays[name.split("_")[-1][:-2]] for name in interpreter.input_names])) == 3
        assert interpreter.signatures["serving_default"]["outputs"] == ["mprod", "zdiff"]


def test_one_tensor_may_be_two_outputs(model, arrays):
    def name_twice(graph):
        (signature,) = graph.signatures
        signature.outputs = {"again": signature.outputs[b"asum"], **signature.outputs}

    with Interpreter(changed(model, name_twice)) as interpreter:
        assert interpreter.output_names == ["again", "asum", "mprod", "zdiff"]
        again, asum, *_ = interpreter.predict(arrays)
        np.testing.assert_array_equal(again, asum)


def test_what_does_not_fit_is_refused_by_name(model, arrays):
    with Interpreter(model) as interpreter:
        with pytest.raises(UsageError, match=r"unknown input 'aplha'. Did you mean alpha\? Known: alpha, mike, zulu"):
            interpreter.predict({**arrays, "aplha": arrays["alpha"]})
        with pytest.raises(UsageError, match=r"unknown input '7'. Known: alpha, mike, zulu"):
            interpreter.predict({**arrays, 7: arrays["alpha"]})
        with pytest.raises(
            UsageError, match=r"no array was given for the input 'mike'. The inputs are alpha, mike, zulu"
        ):
            interpreter.predict({name: arrays[name] for name in ("zulu", "alpha")})
        with pytest.raises(UsageError, match="the model has 3 inputs, not 2"):
            interpreter.predict([arrays["zulu"], arrays["alpha"]])
        with pytest.raises(UsageError, match="the model has 3 inputs, not 1"):
            interpreter.predict(arrays["zulu"])
        with pytest.raises(UsageError, match="the input 'mike' takes float32, not float64"):
            interpreter.predict({**arrays, "mike": arrays["mike"].astype(np.float64)})
        with pytest.raises(UsageError, match=re.escape("the input 'zulu' takes arrays of (N, 4), not (3, 5)")):
            interpreter.predict({**arrays, "zulu": np.zeros((3, 5), np.float32)})
        with pytest.raises(MobileBnnError, match="the model cannot run on this batch"):
            interpreter.predict({**arrays, "zulu": arrays["zulu"][:2]})
        check(interpreter, arrays)


def test_inputs_of_the_same_name_cannot_be_told_apart(model, arrays):
    def confuse(graph):
        graph.signatures = []
        for tensor in graph.inputs:
            tensor.table.name = "x"

    with Interpreter(changed(model, confuse)) as interpreter:
        with pytest.raises(UsageError, match="inputs of the model have the same name"):
            interpreter.predict({"x": arrays["zulu"]})
        assert len(interpreter.predict(list(arrays.values()))) == 3


def test_the_only_input_has_a_name_too(binary_tflite):
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 32)).astype(np.float32)
    with Interpreter(binary_tflite) as interpreter:
        assert interpreter.input_names == ["image"]
        np.testing.assert_array_equal(interpreter.predict({"image": images}), interpreter.predict(images))
        assert interpreter.profile({"image": images}, runs=1)
        with pytest.raises(UsageError, match=r"unknown input 'images'. Did you mean image\?"):
            interpreter.profile({"images": images}, runs=1)


def test_a_converted_keras_model_has_kerass_order(tmp_path, arrays):
    from mobile_bnn import converters
    from mobile_bnn.legacy_keras import larq, tf

    tf.keras.utils.set_random_seed(0)
    given = [tf.keras.layers.Input((4,), name=name) for name in NAMES]
    binary = larq.layers.QuantDense(4, input_quantizer="ste_sign", kernel_quantizer="ste_sign", name="zbinary")
    difference = tf.keras.layers.Subtract(name="difference")(given[:2])
    keras = tf.keras.Model(given, [binary(given[2]), difference, tf.keras.layers.Add(name="asum")(given)])
    converters.convert(keras, tmp_path / "model.tflite", batch_size=None)
    in_order = [arrays[name] for name in NAMES]
    with Interpreter(tmp_path / "model.tflite") as interpreter:
        assert interpreter.input_names == NAMES
        assert interpreter.output_names == ["zbinary", "difference", "asum"]
        expected = keras.predict(in_order, verbose=0)
        for batch in (in_order, arrays):
            for ours, theirs in zip(interpreter.predict(batch), expected, strict=True):
                np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_a_converted_saved_model_has_its_signatures_order(tmp_path, saved_model, arrays):
    # What TensorFlow says it is, who loads the SavedModel.
    from mobile_bnn.converters.keras.export import export_saved_model
    from mobile_bnn.legacy_keras import tf

    signature = tf.saved_model.load(str(saved_model)).signatures["serving_default"]
    with Interpreter(export_saved_model(saved_model).write()) as interpreter:
        assert interpreter.input_names == sorted(signature.structured_input_signature[1])
        assert interpreter.output_names == sorted(signature.structured_outputs)
        check(interpreter, arrays)
