"""Training a segmenter: parallel dilated binary convolutions, upsampling, cross-entropy of each pixel."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.data.augment import Augment
from mobile_bnn.data.augment_masks import MASKS
from mobile_bnn.data.label_maps import IGNORED
from mobile_bnn.methods import Method
from mobile_bnn.tasks.head_blocks import binary_block, float_conv, merged_maps
from mobile_bnn.tasks.training_task import Classifier, Features, TrainingTask
from mobile_bnn.typing import KerasLoss, KerasMetric, KerasModel, KerasTensor, TfTensor

if TYPE_CHECKING:
    from mobile_bnn.tasks.segmentation import Segmentation

_LAST = "classes"


@dataclass(frozen=True)
class SegmentationTraining(TrainingTask):
    """See `Segmentation`."""

    task: "Segmentation"
    image: tuple[int, int]
    classes: int
    augment: Augment = MASKS

    def outputs(
        self, features: Features, method: Method, num_classes: int, classifier: Classifier | None
    ) -> KerasTensor:
        """A softmax for every pixel, float32 [batch, height, width, classes].

        The map of the output stride, with the coarser ones added to it; two blocks of parallel binary convolutions of
        several dilations, which see far without losing pixels (Zhuang et al., CVPR 2019, section 4); a float 1x1
        convolution to logits, which are interpolated to the image's size as in FCN (Long et al., CVPR 2015).
        """
        layers, task = keras2.layers, self.task
        stride = task.output_stride
        x = merged_maps(features, task.strides_of(features), task.width, method, "head")[stride]
        for place in ("a", "b"):
            x = binary_block(x, method, f"head_{place}", dilations=task.dilations)
        logits = float_conv(num_classes, "map_logits")(x)
        if stride > 1:
            logits = layers.UpSampling2D(stride, interpolation="bilinear", name="upsampled")(logits)
        return layers.Activation("softmax", name=_LAST)(_cropped(logits, *self.image))

    def logits(self, model: KerasModel) -> KerasTensor:
        """What the softmax reads, float32 [batch, height, width, classes]."""
        return model.get_layer(_LAST).input

    def encode(self, targets: TfTensor, num_classes: int) -> TfTensor:
        """int32 [batch, height, width]."""
        return keras2.tf.cast(targets, keras2.tf.int32)

    def losses(self) -> KerasLoss:
        """The mean cross-entropy of the pixels that count."""
        return pixel_cross_entropy

    def metrics(self) -> Sequence[KerasMetric]:
        """Keras's mean intersection over union."""
        metrics = keras2.tf.keras.metrics
        return [
            metrics.MeanIoU(self.classes, name="mean_iou", ignore_class=IGNORED, sparse_y_pred=False),
        ]


def pixel_cross_entropy(targets: TfTensor, probabilities: TfTensor) -> TfTensor:
    """Of each image the mean over its pixels that count, float32 [batch].

    Args:
        targets: int [batch, height, width], 255 where a pixel does not count.
        probabilities: float32 [batch, height, width, classes].
    """
    tf = keras2.tf
    classes = tf.cast(targets, tf.int32)
    counts = tf.cast(classes != IGNORED, tf.float32)
    entropy = tf.keras.backend.sparse_categorical_crossentropy(tf.where(classes == IGNORED, 0, classes), probabilities)
    return tf.reduce_sum(entropy * counts, [1, 2]) / tf.maximum(tf.reduce_sum(counts, [1, 2]), 1.0)


def _cropped(x: KerasTensor, height: int, width: int) -> KerasTensor:
    rows, columns = x.shape[1] - height, x.shape[2] - width
    if not (rows or columns):
        return x
    return keras2.layers.Cropping2D(((0, rows), (0, columns)), name="cropped")(x)
