"""The base class of binarization methods: its fields are hyperparameters, its hooks make layers and steer training."""

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar, Literal, TypeVar

from pydantic import Field, PrivateAttr, model_validator

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.errors import UsageError
from mobile_bnn.methods.bop import Bop
from mobile_bnn.methods.card import Card
from mobile_bnn.methods.plan import WHOLE, Phase, Schedule
from mobile_bnn.methods.quantizers import keeps_signs, made_in_float32, sharpened_signs, sign_with_gradient
from mobile_bnn.named_options import NamedOptions
from mobile_bnn.registry import Registry
from mobile_bnn.typing import (
    Json,
    KerasConstraint,
    KerasLayer,
    KerasModel,
    KerasOptimizer,
    KerasRegularizer,
    KerasTensor,
    LarqQuantizer,
    Options,
)

M = TypeVar("M", bound="Method")
LayerMaker = Callable[..., KerasLayer]
Clip = Annotated[float, Field(gt=0, description="latent weights stay in [-clip, clip]; inf leaves them free")]


class Method(NamedOptions):
    """A binarization method.

    A subclass sets `card`, gives the two quantizers, adds its hyperparameters as fields with the paper's defaults, and
    overrides the other hooks where the paper differs from one quantized convolution that Adam trains. Importing it
    loads no TensorFlow; its hooks do.

    Attributes:
        card: name, paper and category.
        needs: what a network must have for it, such as "shortcut"; `zoo.build` refuses others.
        pad_value: what "same" padding puts around binarized inputs; one of the values that they take.
        teacher: fields of the recipe's [teacher] where the recipe gives none, for a method that is a distillation.
    """

    kind = "method"
    card: ClassVar[Card]
    needs: ClassVar[frozenset[str]] = frozenset()
    pad_value: ClassVar[float] = 1.0
    teacher: ClassVar[Mapping[str, Json]] = {}

    clip: Clip = 1.0
    bop: Bop | None = Field(
        None, description="flip the binary weights by Bop, without latent weights; the optimizer trains all others"
    )
    float_start: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0, description="share of the epochs, from the first, in which nothing is binarized (asymptotic quantization)"
    )
    float_kernels: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0,
        description="share of the epochs, after float_start, in which only inputs are binarized (two-stage training)",
    )
    input_gradient: (
        Literal["straight_through", "identity", "piecewise_polynomial", "sign_swish", "error_decay"] | None
    ) = Field(
        None,
        description="gradient of the inputs' sign (`layers.estimators`) in place of the method's own; error_decay "
        "sharpens with the progress",
    )

    _phase: Phase = PrivateAttr(WHOLE)
    _pad_value: float | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _fits_together(self: M) -> M:
        if self.bop and (self.float_start or self.float_kernels):
            raise ValueError("bop: has no latent weights that float_start or float_kernels could train first")
        if self.float_start + self.float_kernels >= 1:
            raise ValueError("float_start: leaves no epoch, with float_kernels, in which all is binarized")
        if type(self).phases is not Method.phases:
            unused = [
                name for name in ("float_start", "float_kernels") if getattr(self, name) and not self._redefines(name)
            ]
            if unused:
                raise ValueError(f"{unused[0]}: the method has phases of its own, without this one")
        if self.bop and type(self).optimizer is not Method.optimizer:
            raise ValueError("bop: the method has an optimizer of its own")
        if self.bop and not all(phase.binarize_kernels for phase in self.phases()):
            raise ValueError("bop: has no latent weights that the method could train first")
        return self

    @classmethod
    def _redefines(cls, field: str) -> bool:
        return any(field in vars(each).get("__annotations__", {}) for each in cls.__mro__[: cls.__mro__.index(Method)])

    @classmethod
    def registered_name(cls) -> str:
        """Its name in recipes."""
        return cls.card.name

    @classmethod
    def needs_in_words(cls) -> str:
        """What a network must have for it, such as "a shortcut around every binary convolution"."""
        return " and ".join(f"a {each} around every binary convolution" for each in sorted(cls.needs))

    # What a layer is made of: each call makes a fresh object.

    @abstractmethod
    def kernel_quantizer(self) -> LarqQuantizer | None:
        """What binarizes the latent weights of a layer; None leaves them float."""

    @abstractmethod
    def input_quantizer(self) -> LarqQuantizer | None:
        """What binarizes the input of a layer; None leaves it float."""

    def kernel_constraint(self) -> KerasConstraint | None:
        """Keeps latent weights in [-clip, clip]; at inf too, for Larq warns of binary weights without a constraint."""
        return keras2.larq.constraints.WeightClip(self.clip)

    def kernel_regularizer(self) -> KerasRegularizer | None:
        """A loss on latent weights."""
        return None

    def conv2d(
        self,
        x: KerasTensor,
        filters: int,
        kernel_size: int | Sequence[int],
        *,
        strides: int = 1,
        dilation: int = 1,
        groups: int = 1,
        padding: str = "same",
        pad_value: float | None = None,
        binary_input: bool = True,
        activation: str | None = None,
        kernel_initializer: str = "glorot_uniform",
        name: str,
    ) -> KerasTensor:
        """A convolution without bias, by default one `QuantConv2D`.

        Args:
            x: float32 [batch, height, width, channels].
            filters: output channels.
            kernel_size: height and width, or one number for both.
            strides, dilation, groups: as in Keras.
            padding: "same", "valid" or "symmetric", which is PyTorch's: as "same", but for strides above 1 with k // 2
                values on every side (`layers.symmetric_padding`).
            pad_value: around the binarized input; for None the one of `padding_with`, else the method's own.
            binary_input: False leaves the input float, as in a first layer, which sees the image.
            activation: of the result, as in Keras.
            kernel_initializer: of the latent weights, as in Keras.
            name: of the layer that holds the kernel.

        Returns:
            float32 [batch, height / strides, width / strides, filters], rounded up for "same" and "symmetric".

        Raises:
            UsageError: the method's layers cannot pad symmetrically.
        """
        maker = self.layer_maker("QuantConv2D", binary_input=binary_input)
        if padding == "symmetric":
            maker, padding = self.symmetric_maker(maker, strides, name), "same"
        return maker(
            filters,
            kernel_size,
            strides=strides,
            dilation_rate=dilation,
            groups=groups,
            padding=padding,
            activation=activation,
            kernel_initializer=kernel_initializer,
            use_bias=False,
            name=name,
            **({"pad_values": self.padded_by(pad_value)} if padding == "same" else {}),
            **self.layer_options(binary_input=binary_input),
        )(x)

    def symmetric_maker(self, maker: LayerMaker, strides: int, name: str) -> LayerMaker:
        """What makes a layer with symmetric padding; with odd filters and a stride of 1 "same" is symmetric."""
        if strides == 1:
            return maker
        if maker is keras2.larq.layers.QuantConv2D:
            from mobile_bnn.layers.symmetric_padding import SymmetricQuantConv2D

            return SymmetricQuantConv2D
        raise UsageError(
            f"{self.card.name} cannot make layer {name}",
            why="it has layers of its own, which cannot pad a map of stride 2 on both sides",
            cure="Choose another network or another method",
        )

    def padded_by(self, pad_value: float | None) -> float:
        """What "same" padding puts around a layer's binarized input: the layer's, the network's or the method's own."""
        given = (pad_value, self._pad_value, self.pad_value)
        return next(value for value in given if value is not None)

    def padding_with(self: M, pad_value: float | None) -> M:
        """The same method, which pads with this value where a layer gives none: the network's; None: its own."""
        copy = self.model_copy()
        copy._pad_value = pad_value
        return copy

    def dense(self, x: KerasTensor, units: int, *, binary_input: bool = True, name: str) -> KerasTensor:
        """A dense layer without bias, by default one `QuantDense`: float32 [batch, features] to [batch, units]."""
        options = self.layer_options(binary_input=binary_input)
        make = self.layer_maker("QuantDense", binary_input=binary_input)
        return make(units, use_bias=False, name=name, **options)(x)

    def shortcut(self, x: KerasTensor, y: KerasTensor, *, name: str) -> KerasTensor:
        """Joins a shortcut `x` and the branch `y` beside it, float32 of one shape; by default their sum."""
        return keras2.layers.Add(name=name)([y, x])

    def layer_maker(self, name: str, *, binary_input: bool) -> LayerMaker:
        """What makes a layer in place of Larq's `QuantConv2D` or `QuantDense`; by default Larq's own class."""
        maker: LayerMaker = getattr(keras2.larq.layers, name)
        return maker

    def layer_options(self, *, binary_input: bool = True) -> Options:
        """Keyword arguments of a Larq layer in the present phase: quantizers, constraint and regularizer.

        In mixed precision too it computes in float32: in float16 small latent weights would be 0 and lose their sign,
        and sums of ±1 above 2048 would be rounded.
        """
        with made_in_float32():
            quantizers = self._quantizers(binary_input=binary_input)
        return {"dtype": "float32", **quantizers}

    def _quantizers(self, *, binary_input: bool) -> Options:
        options: Options = {}
        if binary_input and self._phase.binarize_inputs:
            options["input_quantizer"] = self._input_quantizer()
        if self.bop:
            if not keeps_signs(self.kernel_quantizer()):
                raise UsageError(
                    f"{self.card.name} cannot be trained with method.bop",
                    why="it makes something else of weights that are -1 and 1",
                    cure="Leave method.bop out",
                )
            return {**options, "kernel_quantizer": keras2.larq.quantizers.NoOp(precision=1)}
        options["kernel_regularizer"] = self.kernel_regularizer()
        if self._phase.binarize_kernels:
            options |= {"kernel_quantizer": self.kernel_quantizer(), "kernel_constraint": self.kernel_constraint()}
        return options

    def _input_quantizer(self) -> LarqQuantizer | None:
        own = self.input_quantizer()
        return own if self.input_gradient is None else sign_with_gradient(own, self.input_gradient, self.card.name)

    # How it is trained: the defaults change nothing.

    def schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """Variables of the model that follow the training's progress."""
        return ()

    def all_schedules(self, model: KerasModel) -> Sequence[Schedule]:
        """What training follows: `schedules`, and the sharpening of input_gradient=error_decay."""
        own = self.schedules(model)
        if self.input_gradient != "error_decay":
            return own
        followed = {id(schedule.variable) for schedule in own}
        return [*own, *(each for each in sharpened_signs(model) if id(each.variable) not in followed)]

    def optimizer(self, default: KerasOptimizer, model: KerasModel) -> KerasOptimizer:
        """The optimizer of a model in place of the recipe's."""
        return self.bop.optimizer(default) if self.bop else default

    def phases(self) -> Sequence[Phase]:
        """The parts of the training, in order.

        With `float_start` the first binarizes nothing (the survey's asymptotic quantization), with `float_kernels` the
        next binarizes inputs alone, as in the two-stage training of Bulat et al., "Improved training of binary networks
        for human pose estimation and image recognition" (2019), and ReActNet.
        """
        rest = 1 - self.float_start - self.float_kernels
        phases = [
            Phase("float", self.float_start, binarize_inputs=False, binarize_kernels=False),
            Phase("float kernels", self.float_kernels, binarize_kernels=False, reset_optimizer=True),
            Phase("binary kernels", rest, reset_optimizer=True),
        ]
        return tuple(phase for phase in phases if phase.share) if rest < 1 else (WHOLE,)

    def follows_progress(self) -> bool:
        """Whether it changes anything with the share of the epochs that are trained: by schedules, or by phases."""
        own = type(self).schedules is not Method.schedules
        return own or self.input_gradient == "error_decay" or len(self.phases()) > 1

    def in_phase(self: M, phase: Phase) -> M:
        """The same method, whose layers are those of a phase."""
        copy = self.model_copy()
        copy._phase = phase
        return copy


METHODS: Registry[type[Method]] = Registry("method", "mobile_bnn.methods")


def register(method: type[M]) -> type[M]:
    """A class decorator that makes a method known by the name on its card."""
    METHODS.add(method.card.name, method, method)
    return method
