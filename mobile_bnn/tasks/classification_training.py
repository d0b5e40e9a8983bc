"""Training a classifier: a softmax over logits, cross-entropy, accuracy."""

from collections.abc import Sequence
from dataclasses import dataclass

from mobile_bnn import legacy_keras as keras2
from mobile_bnn.errors import UsageError
from mobile_bnn.methods import Method
from mobile_bnn.tasks.training_task import Classifier, Features, TrainingTask
from mobile_bnn.typing import KerasLoss, KerasMetric, KerasModel, KerasTensor, TfTensor

_LAST = "probabilities"


@dataclass(frozen=True)
class ClassificationTraining(TrainingTask):
    """See `Classification`."""

    label_smoothing: float

    def outputs(
        self, features: Features, method: Method, num_classes: int, classifier: Classifier | None
    ) -> KerasTensor:
        """A softmax, the layer "probabilities", of the classifier's logits: float32 [batch, classes].

        Without a classifier of the network's own: a float dense layer over the mean of all pixels of the deepest map.
        """
        logits = (classifier or _pooled_logits)(features, method, num_classes)
        return keras2.layers.Activation("softmax", name=_LAST)(logits)

    def logits(self, model: KerasModel) -> KerasTensor:
        """What the softmax reads, float32 [batch, classes]."""
        last = model.layers[-1]
        if last.name != _LAST:
            raise UsageError(f"{model.name} does not end in a layer {_LAST!r} whose input are its logits")
        return last.input

    def encode(self, targets: TfTensor, num_classes: int) -> TfTensor:
        """One-hot: int64 [batch] to float32 [batch, classes]."""
        return keras2.tf.one_hot(targets, num_classes)

    def losses(self) -> KerasLoss:
        """Cross-entropy."""
        return keras2.tf.keras.losses.CategoricalCrossentropy(label_smoothing=self.label_smoothing)

    def metrics(self) -> Sequence[KerasMetric]:
        """Accuracy."""
        return [keras2.tf.keras.metrics.CategoricalAccuracy(name="accuracy")]


def _pooled_logits(features: Features, method: Method, num_classes: int) -> KerasTensor:
    x = keras2.layers.GlobalAveragePooling2D(name="pool")(features[max(features)])
    return keras2.layers.Dense(num_classes, name="logits")(x)
