"""The layers that heads of detection and segmentation are made of: binary 3x3 ones, and float 1x1 ones between maps."""

from collections.abc import Sequence

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.errors import UsageError
from mobile_bnn.methods import Method
from mobile_bnn.tasks.strides import missing_strides
from mobile_bnn.tasks.training_task import Features
from mobile_bnn.typing import KerasTensor


def binary_block(
    x: KerasTensor, method: Method, name: str, *, strides: int = 1, dilations: Sequence[int] = (1,)
) -> KerasTensor:
    """Parallel binary 3x3 convolutions with a float shortcut around each; strides average the shortcut.

    With several dilations it is the "binary parallel atrous convolution" of Zhuang et al., "Structured Binary Neural
    Networks for Accurate Image Classification and Semantic Segmentation", CVPR 2019, section 4.

    Args:
        x: float32 [batch, height, width, channels].
        method: makes the convolutions.
        name: of the block.
        strides: of the convolutions.
        dilations: one convolution for each.

    Returns:
        float32 [batch, height / strides, width / strides, channels], rounded up.
    """
    layers = keras2.layers
    y = x if strides == 1 else layers.AveragePooling2D(strides, padding="same", name=f"{name}_pool")(x)
    for dilation in dilations:
        own = f"{name}_rate{dilation}" if len(dilations) > 1 else name
        branch = method.conv2d(x, x.shape[-1], 3, strides=strides, dilation=dilation, name=f"{own}_conv")
        y = method.shortcut(y, batch_norm(f"{own}_conv_norm")(branch), name=f"{own}_add")
    return y


def merged_maps(features: Features, strides: Sequence[int], width: int, method: Method, name: str) -> Features:
    """Maps of one number of channels, each with what the coarser ones see added to it.

    A float 1x1 convolution brings every map to `width` channels; the coarser ones are repeated to the finer one's size
    and added (Lin et al., "Feature Pyramid Networks for Object Detection", CVPR 2017). Maps coarser than the
    backbone's own are made by binary convolutions of stride 2.

    Args:
        features: of the backbone.
        strides: of the maps that are wanted, each twice the one before.
        width: channels.
        method: makes the binary layers.
        name: begins the layers' names.

    Raises:
        UsageError: the backbone has no map of the first stride, nor a coarser one to begin from.
    """
    layers, deepest = keras2.layers, max(features)
    own = [stride for stride in strides if stride in features]
    if missing := missing_strides(strides, features):
        raise UsageError(
            f"the network has no map of stride {missing[0]}",
            why=f"its maps have the strides {', '.join(map(str, sorted(features)))}",
            cure="Give the task strides that it has, or coarser ones",
        )
    maps = {stride: _projected(features[stride], width, f"{name}_map{stride}") for stride in own or [deepest]}
    at = max(maps)
    while at < strides[-1]:
        maps[at * 2] = binary_block(maps[at], method, f"{name}_map{at * 2}", strides=2)
        at *= 2
    for stride in sorted(maps, reverse=True)[1:]:
        if stride in own:
            upper = layers.UpSampling2D(2, name=f"{name}_up{stride}")(maps[stride * 2])
            upper = _cropped(upper, maps[stride], f"{name}_crop{stride}")
            maps[stride] = layers.Add(name=f"{name}_merged{stride}")([maps[stride], upper])
    return Features({stride: maps[stride] for stride in strides})


def float_conv(filters: int, name: str) -> KerasTensor:
    """A float 1x1 convolution with bias: what a head predicts."""
    return keras2.layers.Conv2D(filters, 1, name=name)


def batch_norm(name: str) -> KerasTensor:
    """A batch normalization."""
    return keras2.layers.BatchNormalization(momentum=0.9, name=name)


def _projected(x: KerasTensor, width: int, name: str) -> KerasTensor:
    x = keras2.layers.Conv2D(width, 1, use_bias=False, kernel_initializer="he_normal", name=name)(x)
    return batch_norm(f"{name}_norm")(x)


def _cropped(x: KerasTensor, like: KerasTensor, name: str) -> KerasTensor:
    """A map without the row and the column that doubling adds to a size that was rounded up."""
    rows, columns = x.shape[1] - like.shape[1], x.shape[2] - like.shape[2]
    if not (rows or columns):
        return x
    if min(rows, columns) < 0:
        raise UsageError(
            f"the network's maps of {like.shape[1]} and {x.shape[1] // 2} rows do not fit each other",
            why="it rounds down where it halves",
            cure="Choose a size of images that it halves without a rest, such as --set image_size=64",
        )
    return keras2.layers.Cropping2D(((0, rows), (0, columns)), name=name)(x)
