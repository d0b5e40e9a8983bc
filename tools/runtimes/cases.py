"""Writes the models that every runtime must run, each with an input and the output of LCE's reference kernel."""

import sys
from pathlib import Path

import numpy as np

from mobile_bnn import converters, zoo
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import KerasModel

sys.path.extend(
    str(Path(__file__).parents[2] / folder) for folder in ("tests", "tests/native")
)  # whose helpers write single-operator files
from numpy_bconv import BconvCase, pack
from single_operator import TensorSpec, chain, run_lce, single_operator

SHAPE, WORDS = (2, 7, 5, 70), (2, 7, 5, 3)
ZOO_MODEL = "quicknet_small"


def write(folder: Path) -> None:
    """All four operators in every type of input and output, and a zoo model, as NAME.tflite and NAME.npz."""
    generator = np.random.default_rng(0)
    for output in ("float", "int8", "bits"):
        for padding in ("same_one", "same_zero", "valid"):
            if (output, padding) == ("bits", "same_zero"):
                continue  # LCE's reference kernel crashes on it
            case = BconvCase(1, size=(9, 8), channels=96, outputs=70, padding=padding, output=output, activation=1)
            _write(folder / f"bconv_{output}_{padding}", case.model(), case.input)
    sources = {"float": generator.normal(size=SHAPE).astype(np.float32), "bool": generator.random(SHAPE) < 0.5}
    sources["int8"] = generator.integers(-128, 128, SHAPE).astype(np.int8)
    words = pack(generator.random(SHAPE) < 0.5)
    for name, image in sources.items():
        spec = TensorSpec(SHAPE, image.dtype, scale=0.1 if name == "int8" else None, zero_point=5)
        packed = TensorSpec(WORDS, np.int32)
        _write(folder / f"quantize_{name}", single_operator("LceQuantize", [spec], packed), image)
        _write(folder / f"dequantize_{name}", single_operator("LceDequantize", [packed], spec), words)
    unpacked, constant = TensorSpec(SHAPE), TensorSpec.constant(words)
    larger = ("MAXIMUM", [TensorSpec(SHAPE), unpacked], TensorSpec(SHAPE), b"")
    expanded = chain([("LceDequantize", [constant], unpacked, b""), larger])
    _write(folder / "dequantize_constant", expanded, sources["float"])
    options = {"padding": 0, "filter_height": 2, "filter_width": 3, "stride_height": 2, "stride_width": 2}
    pooled = TensorSpec((2, 4, 3, 3), np.int32)
    pool = single_operator("LceBMaxPool2d", [TensorSpec(WORDS, np.int32)], pooled, options)
    _write(folder / "bmaxpool", pool, words | np.roll(words, 1))
    images = generator.normal(size=(16, 64, 64, 3)).astype(np.float32)
    model = _undecided(images)
    converters.convert(model, folder / f"{ZOO_MODEL}.tflite")
    _write(folder / ZOO_MODEL, (folder / f"{ZOO_MODEL}.tflite").read_bytes(), images[:1])


def _undecided(images: np.ndarray) -> KerasModel:
    """An untrained model with the statistics of these images, and one whose softmax for the first is no 1 and zeros."""
    for seed in range(100):
        tf.keras.utils.set_random_seed(seed)
        model = zoo.build(ZOO_MODEL, input_shape=images.shape[1:], num_classes=10)
        for layer in model.layers:
            if hasattr(layer, "moving_variance"):
                layer.momentum = 0.0
        model(images, training=True)
        if model(images[:1]).numpy().max() < 0.9:
            return model
    raise AssertionError(f"the softmax of every {ZOO_MODEL} is a 1 and zeros, which hides differences")


def _write(path: Path, model: bytes, x: np.ndarray) -> None:
    path.with_suffix(".tflite").write_bytes(model)
    np.savez(path.with_suffix(".npz"), x=x, expected=run_lce(model, x))
