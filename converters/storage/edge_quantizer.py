"""ai-edge-quantizer on a graph of ours: names made unique, one request for each operator, nothing printed."""

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from typing import Any

import numpy as np

from mobile_bnn.converters.graph.model import Operator
from mobile_bnn.converters.graph.tflite import TfliteModel
from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.native_output import caught_stderr


class EdgeQuantizer:
    """Quantizes a copy of a model.

    Attributes:
        model: the copy, whose operators the requests are made for.

    Raises:
        MobileBnnError: ai-edge-quantizer is not installed.
    """

    def __init__(self, model: TfliteModel) -> None:
        self.model = model.copy()
        make_names_unique(self.model)
        with _quiet():
            try:
                from ai_edge_quantizer import algorithm_manager, qtyping, quantizer
            except ImportError as error:
                raise MobileBnnError(
                    "ai-edge-quantizer is not installed", cure="pip install 'mobile-bnn[train]'"
                ) from error
            self._types, self._algorithms = qtyping, algorithm_manager.AlgorithmName
            self._quantizer = quantizer.Quantizer(bytearray(self.model.write()))

    def store_weights(self, operator: Operator, kind: str) -> None:
        """Asks for an operator's weights as int8, one scale for each output channel, or as float16."""
        float16 = kind == "float16"
        algorithm = self._algorithms.FLOAT_CASTING if float16 else self._algorithms.MIN_MAX_UNIFORM_QUANT
        bits = 16 if float16 else 8
        self._quantizer.add_weight_only_config(*self._scope(operator), num_bits=bits, algorithm_key=algorithm)

    def quantize(self) -> TfliteModel:
        """The model with all that was asked for.

        Raises:
            MobileBnnError: ai-edge-quantizer refuses the model.
        """
        return self._quantize(None)

    def quantize_int8(self, ranges: Mapping[str, tuple[float, float]]) -> TfliteModel:
        """The model with all its operators in int8, inputs and outputs in float32.

        Args:
            ranges: least and greatest value of every float tensor that is computed, by its name in `model`.

        Raises:
            MobileBnnError: ai-edge-quantizer refuses the model.
        """
        operations, granularity = self._types.TFLOperationName, self._types.QuantGranularity
        for operation, weights in (
            (operations.ALL_SUPPORTED, granularity.CHANNELWISE),
            # LiteRT's kernel takes the first scale for all: it would compute nonsense, without a word.
            (operations.BATCH_MATMUL, granularity.TENSORWISE),
        ):
            self._quantizer.add_static_config(
                ".*", operation, activation_num_bits=8, weight_num_bits=8, weight_granularity=weights
            )
        for operation in (operations.INPUT, operations.OUTPUT):
            self._quantizer.update_quantization_recipe(".*", operation, algorithm_key=self._algorithms.NO_QUANTIZE)
        return self._quantize(
            {name: {"min": np.array(low), "max": np.array(high)} for name, (low, high) in ranges.items()}
        )

    def _quantize(self, ranges: Any) -> TfliteModel:
        with _quiet():
            try:
                made = self._quantizer.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
            except Exception as error:  # it has no error of its own
                raise MobileBnnError("ai-edge-quantizer refuses the model", why=first_line(error)) from error
        return TfliteModel.read(bytes(made.quantized_model))

    def _scope(self, operator: Operator) -> tuple[str, Any]:
        """The library finds an operator by a pattern for its output's name, and by its kind."""
        return f"^{re.escape(operator.output.name)};?$", self._types.TFLOperationName(operator.op_type)


@contextmanager
def _quiet() -> Iterator[None]:
    with caught_stderr(), redirect_stderr(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def make_names_unique(model: TfliteModel) -> None:
    """The library tells tensors by their names; LiteRT does not."""
    taken = set[str]()
    for tensor in (tensor for graph in model.graphs for tensor in graph.tensors()):
        name, number = tensor.name or "tensor", 1
        while name in taken:
            number += 1
            name = f"{tensor.name or 'tensor'}_{number}"
        taken.add(name)
        tensor.table.name = name
