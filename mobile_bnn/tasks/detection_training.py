"""Training a detector: SSD's head, matched anchors, box and class losses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.data.augment import Augment
from mobile_bnn.data.augment_boxes import BOXES
from mobile_bnn.errors import UsageError
from mobile_bnn.methods import Method
from mobile_bnn.tasks import detection_losses
from mobile_bnn.tasks.detection_matching import matched_targets
from mobile_bnn.tasks.head_blocks import binary_block, float_conv, merged_maps
from mobile_bnn.tasks.training_task import Classifier, Features, TrainingTask
from mobile_bnn.typing import KerasLoss, KerasMetric, KerasModel, KerasTensor, TfTensor

if TYPE_CHECKING:
    from mobile_bnn.tasks.detection import Detection

BOXES_OUTPUT, SCORES_OUTPUT = "boxes", "scores"


@dataclass(frozen=True)
class DetectionTraining(TrainingTask):
    """See `Detection`."""

    task: "Detection"
    strides: Sequence[int]
    augment: Augment = BOXES

    def outputs(
        self, features: Features, method: Method, num_classes: int, classifier: Classifier | None
    ) -> list[KerasTensor]:
        """The offsets of all anchors, and a softmax over the background and the classes.

        On each map two binary convolutions with shortcuts, then float 1x1 convolutions: what they give is the
        prediction itself, and they read few channels.
        """
        layers, task = keras2.layers, self.task
        per_cell = task.anchors.per_cell
        offsets, logits = [], []
        maps = merged_maps(features, self.strides, task.width, method, "head")
        for (stride, x), expected in zip(maps.items(), task.anchors.maps, strict=True):
            if list(x.shape[1:3]) != list(expected):
                raise UsageError(
                    f"the network's map of stride {stride} has {x.shape[1]} × {x.shape[2]} pixels, not "
                    f"{expected[0]} × {expected[1]}",
                    cure=f"Choose a size of images that is a multiple of {self.strides[-1]}",
                )
            for place in ("a", "b"):
                x = binary_block(x, method, f"head{stride}{place}")
            boxes = float_conv(per_cell * 4, f"boxes{stride}")(x)
            scores = float_conv(per_cell * (num_classes + 1), f"scores{stride}")(x)
            offsets.append(layers.Reshape((-1, 4), name=f"boxes{stride}_rows")(boxes))
            logits.append(layers.Reshape((-1, num_classes + 1), name=f"scores{stride}_rows")(scores))
        joined = layers.Activation("linear", name=BOXES_OUTPUT)(_joined(offsets, "boxes_joined"))
        return [joined, layers.Activation("softmax", name=SCORES_OUTPUT)(_joined(logits, "logits"))]

    def logits(self, model: KerasModel) -> KerasTensor:
        """What the softmax reads, float32 [batch, anchors, classes + 1]."""
        return model.get_layer(SCORES_OUTPUT).input

    def encode(self, targets: TfTensor, num_classes: int) -> tuple[TfTensor, TfTensor]:
        """The offsets and the class that each anchor is to have; see `matched_targets`."""
        return matched_targets(targets, self.task.anchors)

    def losses(self) -> list[KerasLoss]:
        """Of the boxes and of the scores."""
        return [detection_losses.boxes_loss, detection_losses.scores_loss(self.task.negatives)]

    def metrics(self) -> Mapping[str, Sequence[KerasMetric]]:
        """The share of anchors with an object that have its class."""
        metric = keras2.tf.keras.metrics.MeanMetricWrapper(detection_losses.class_accuracy, name="accuracy")
        return {BOXES_OUTPUT: [], SCORES_OUTPUT: [metric]}


def _joined(parts: list[KerasTensor], name: str) -> KerasTensor:
    return keras2.layers.Concatenate(axis=1, name=name)(parts) if len(parts) > 1 else parts[0]
