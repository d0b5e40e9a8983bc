"""Model architectures, each with any method and for any task.

    from mobile_bnn import zoo

    model = zoo.build("resnet20", method="bi_real", input_shape=(32, 32, 3), num_classes=10)

    loaded = zoo.load("resnet20", weights="fashion_mnist")  # loaded.model, loaded.tflite, loaded.record

An architecture is a function with the decorator `register`; another package brings its own by an entry point of the
group `mobile_bnn.zoo`. Listing the zoo loads no TensorFlow; building does.
"""

from collections.abc import Mapping, Sequence

from mobile_bnn import legacy_keras as keras2
from mobile_bnn import methods, tasks
from mobile_bnn.errors import UsageError
from mobile_bnn.registry import import_modules
from mobile_bnn.typing import Json, KerasModel
from mobile_bnn.zoo.architecture import ARCHITECTURES, SHORTCUT, Architecture, register
from mobile_bnn.zoo.importing.loading import load_weights
from mobile_bnn.zoo.network_options import Network
from mobile_bnn.zoo.trained import Loaded, Trained, tags, trained
from mobile_bnn.zoo.trained.records import WEIGHTS

import_modules(__name__, __path__)

_SHOWN = 8  # names in a message


def names() -> list[str]:
    """The names of all architectures, sorted."""
    return ARCHITECTURES.names()


def get(name: str) -> Architecture:
    """The architecture called `name`.

    Raises:
        UsageError: there is none; the nearest names are suggested.
        MobileBnnError: another package brings it, and it cannot be loaded.
    """
    return ARCHITECTURES.get(name)


def network(name: str, options: Mapping[str, Json], source: str = "") -> Network:
    """The options of an architecture, from their names and values.

    Raises:
        UsageError: it has no such option, or the value is out of range; `source` begins the message.
    """
    chosen = get(name).options
    if options and not chosen.model_fields:
        begin = f"{source}: " if source else ""
        fitting = [each for each in names() if set(options) <= set(get(each).options.model_fields)]
        cure = _choice(fitting, name) if fitting else "Leave the section network out"
        raise UsageError(f"{begin}{name} has no options such as {', '.join(options)}", cure=cure)
    return chosen.create(source, **options)


def build(
    name: str,
    method: str | methods.Method = "bnn",
    input_shape: Sequence[int] | None = None,
    num_classes: int | None = None,
    task: str | tasks.Task = "classification",
    network: Network | Mapping[str, Json] | None = None,
) -> KerasModel:
    """Builds an architecture with a method's layers and a task's head, randomly initialized.

    Args:
        name: one of `names()`.
        method: a name of `mobile_bnn.methods`, or a method with its hyperparameters.
        input_shape: (height, width, channels) of float32 images; the architecture's own by default.
        num_classes: classes that the task tells apart; the architecture's own by default.
        task: a name of `mobile_bnn.tasks`, or a task with its options.
        network: what to change about the architecture, such as {"width": 2.0}; nothing by default.

    Returns:
        A `tf.keras.Model` called `name`, from float32 [batch, height, width, channels] to the outputs of the task's
        head; for classification probabilities, float32 [batch, num_classes].

    Raises:
        UsageError: an unknown name, a shape that the architecture cannot take, or a method that needs what it lacks.
    """
    architecture = get(name)
    chosen = methods.create(method) if isinstance(method, str) else method
    shape = _checked_shape(architecture, input_shape)
    classes = architecture.num_classes if num_classes is None else num_classes
    if classes < 2:
        raise UsageError(f"num_classes must be at least 2, not {classes}")
    changed = network if isinstance(network, Network) else _network(name, network or {})
    if lacking := chosen.needs - (architecture.offers - changed.lacks()):
        fitting = [each for each in names() if get(each).offers >= chosen.needs]
        raise UsageError(
            f"{name} cannot be trained with {chosen.card.name}",
            why=f"the method needs a {' and a '.join(sorted(lacking))} around every binary convolution",
            cure="Leave network.shortcuts true" if lacking <= changed.lacks() else _choice(fitting, name),
        )
    chosen = chosen.padding_with(changed.pad_value(architecture.pad_value))
    head = (tasks.create(task) if isinstance(task, str) else task).fitted(shape, classes).training()
    with keras2.traces_freed():  # nothing differentiates the graphs in which Keras learns the layers' shapes
        image = keras2.layers.Input(shape, name="image")
        features = architecture.features(chosen, image, changed)
        return keras2.tf.keras.Model(image, head.outputs(features, chosen, classes, architecture.classifier), name=name)


def load(name: str, weights: str) -> Loaded:
    """An architecture with weights that come with the package.

    Args:
        name: one of `names()`.
        weights: one of `tags(name)`, such as "fashion_mnist".

    Returns:
        The Keras model, the .tflite file, and what is known of them.

    Raises:
        UsageError: there are no such weights; the nearest names are suggested.
        MobileBnnError: their files are damaged.
    """
    from mobile_bnn.zoo.trained import named_weights, packed_weights

    record = trained(get(name).name, weights)
    model = build(
        name,
        methods.create(**record.method),
        record.input_shape,
        record.num_classes,
        tasks.create(**record.task),
        record.network,
    )
    named_weights.assign(model, packed_weights.read(record.file(WEIGHTS)), str(record))
    return Loaded(model, record)


def _choice(fitting: Sequence[str], instead: str) -> str:
    """Advice to take one of some architectures, those for images of about the same size first."""
    height = get(instead).input_shape[0]
    ordered = sorted(fitting, key=lambda name: abs(get(name).input_shape[0] - height))
    shown, others = ordered[:_SHOWN], len(ordered) - _SHOWN
    return f"Choose one of {', '.join(shown)}" + (f", or of {others} others in mbnn zoo list" if others > 0 else "")


_network = network  # which an argument of `build` is called, too


def _checked_shape(architecture: Architecture, input_shape: Sequence[int] | None) -> tuple[int, ...]:
    shape = architecture.input_shape if input_shape is None else tuple(input_shape)
    if len(shape) != 3 or min(shape) < 1:
        raise UsageError(f"input_shape must be (height, width, channels), not {shape}")
    if min(shape[:2]) < (smallest := architecture.smallest_input):
        raise UsageError(
            f"{architecture.name} cannot take images of {shape[0]}x{shape[1]}",
            why=f"it needs at least {smallest}x{smallest}",
            cure="Choose another net or, for images that vary in size, a larger --set image_size=N",
        )
    return shape


__all__ = [
    "SHORTCUT",
    "Architecture",
    "Loaded",
    "Network",
    "Trained",
    "build",
    "get",
    "load",
    "load_weights",
    "names",
    "network",
    "register",
    "tags",
    "trained",
]
