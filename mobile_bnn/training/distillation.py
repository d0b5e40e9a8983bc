"""Distillation: a student learns from the targets, from a teacher's logits and from its maps.

Hinton, Vinyals, Dean: "Distilling the Knowledge in a Neural Network", 2015, section 2.
"""

from typing import Any

from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.tasks import TrainingTask
from mobile_bnn.training.attention import attention_loss, shared_maps
from mobile_bnn.training.sections import Teacher
from mobile_bnn.typing import KerasModel, KerasTensor, TfTensor


def soft_loss(teacher: TfTensor, student: TfTensor, temperature: float) -> TfTensor:
    """T² · KL(softmax(z_t / T) ‖ softmax(z_s / T)), the mean over all but the last axis: a float32 scalar.

    The factor T² keeps the gradient's size independent of the temperature.

    Args:
        teacher, student: logits z_t and z_s, float32 [..., classes].
        temperature: T above 0.
    """
    wanted = tf.nn.log_softmax(teacher / temperature)
    given = tf.nn.log_softmax(student / temperature)
    return temperature**2 * tf.reduce_mean(tf.reduce_sum(tf.exp(wanted) * (wanted - given), axis=-1))


class Distillation(tf.keras.Model):  # type: ignore[misc]
    """A student whose loss is (1 − λ) · the task's + λ · `soft_loss` + γ · `attention_loss`.

    Args:
        student: the model that is trained; it computes what this model does.
        teacher: the trained model that it learns from, of the same inputs; it stays as it is.
        task: tells where the logits are.
        options: λ (`weight`), the temperature and γ (`attention`).

    Raises:
        UsageError: the teacher does not fit the student.
    """

    def __init__(self, student: KerasModel, teacher: KerasModel, task: TrainingTask, options: Teacher) -> None:
        super().__init__(name=student.name)
        check_fit(student, teacher)
        teacher.trainable = False
        self.student = student
        if len(student.outputs) > 1:  # by which losses and metrics are told apart
            self.output_names = student.output_names
        pairs = shared_maps(student, teacher) if options.attention else []
        mine, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        watched = {"outputs": student.outputs, "logits": task.logits(student), "maps": mine}
        self._watched = tf.keras.Model(student.inputs, watched)
        self._teacher = tf.keras.Model(teacher.inputs, {"logits": task.logits(teacher), "maps": theirs})
        self._options = options

    def call(self, inputs: KerasTensor, training: bool | None = None) -> KerasTensor:
        """The student's outputs."""
        return self.student(inputs, training=training)

    def train_step(self, data: Any) -> dict[str, TfTensor]:
        """Keras's hook: one step of the optimizer."""
        images, targets, weights = tf.keras.utils.unpack_x_y_sample_weight(data)
        taught = self._teacher(images, training=False)
        with tf.GradientTape() as tape:
            given = self._watched(images, training=True)
            outputs = given["outputs"][0] if len(given["outputs"]) == 1 else given["outputs"]
            hard = self.compute_loss(images, targets, outputs, weights)
            share = self._options.weight
            soft = soft_loss(taught["logits"], given["logits"], self._options.temperature)
            loss = (1 - share) * hard + share * soft
            if taught["maps"]:
                loss += self._options.attention * attention_loss(taught["maps"], given["maps"])
        self.optimizer.minimize(loss, self.student.trainable_variables, tape=tape)
        metrics: dict[str, TfTensor] = self.compute_metrics(images, targets, outputs, weights)
        return metrics


def check_fit(student: KerasModel, teacher: KerasModel) -> None:
    """Raises UsageError unless a teacher takes and gives what its student does."""
    pairs = [
        ("images of", student.input_shape, teacher.input_shape),
        ("outputs of", student.output_shape, teacher.output_shape),
    ]
    for what, ours, theirs in pairs:
        if ours != theirs:
            raise UsageError(
                f"the teacher does not fit: it has {what} {theirs[1:]}, the student {ours[1:]}",
                cure="Name a run of the same data set and image size: --set teacher.run=FOLDER",
            )
