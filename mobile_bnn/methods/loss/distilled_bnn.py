"""Distilled BNN: a binary network that a float one teaches."""

from typing import ClassVar

from mobile_bnn.methods.card import Card
from mobile_bnn.methods.method import register
from mobile_bnn.methods.naive.bnn import Bnn
from mobile_bnn.typing import Json


@register
class DistilledBnn(Bnn):
    """BNN with a teacher; formulas in `training.distillation`."""

    card = Card(
        name="distilled_bnn",
        title="Distilled Binary Neural Network",
        year=2018,
        paper="Chen, Liu, Shi, Xu, Xu: Distilled Binary Neural Network for Monaural Speech Separation, IJCNN 2018",
        category="loss",
        deploy_class="1",
        summary="BNN's sign of weights and activations; the loss mixes the targets with the outputs of a trained float "
        "network.",
        formula="weights  sign(w)\nactivations  sign(a)\ngradients  1{|a| ≤ 1}\n"
        "loss  (1 − λ)·task's + λ·KL(softmax(z_t) ‖ softmax(z_s))",
        choices="The paper separates speech: its loss is the squared error to targets and to the teacher's outputs. "
        "Here outputs are classes, so it is cross-entropy and divergence. Its weights were not seen: λ = ½, T = 1.",
    )
    teacher: ClassVar[dict[str, Json]] = {"name": "float_twin", "weight": 0.5, "temperature": 1.0}
