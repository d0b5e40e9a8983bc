"""What is known of a binarization method without training with it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Category = Literal["baseline", "naive", "quantization error", "loss", "gradient", "beyond the survey"]
DeployClass = Literal["1", "1+", "1r", "M", "I", "S", "W", "Q", "float"]

DEPLOY_CLASSES: dict[DeployClass, str] = {
    "1": "one binary convolution with a multiplier and a bias per channel",
    "1+": "one binary convolution, and a few float operators beside it",
    "1r": "one binary convolution after an exact rewrite that LCE's converter lacks: it leaves the layer float",
    "M": "several binary convolutions, added up",
    "I": "one binary convolution times a scale that is computed from the input",
    "S": "one binary convolution times a constant scale for each position",
    "W": "a float convolution, whose weights are stored as bits: its input is float",
    "Q": "a float convolution: its weights have more values than a sum of few binary ones",
    "float": "a float convolution",
}


class Published(BaseModel):
    """A result that was published.

    Attributes:
        dataset: such as "ImageNet".
        network: such as "ResNet-18".
        bits: of weights and activations, as "1/1".
        top1: accuracy in percent.
        source: where the number stands.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    dataset: str
    network: str
    bits: str = "1/1"
    top1: float
    source: str


class Card(BaseModel):
    """A method's name and origin."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str = Field(pattern=r"[a-z][a-z0-9_]*", description="in recipes and on the command line")
    title: str = Field(description="its authors' name for it")
    year: int = Field(description="of the paper's conference, or of the preprint")
    paper: str = Field(description="authors, title, venue")
    category: Category = Field(description='of "Binary Neural Networks: A Survey" (Qin et al. 2020), table 1')
    deploy_class: DeployClass = Field(description="what a layer becomes at inference, a key of DEPLOY_CLASSES")
    summary: str = Field(description="forward and backward pass in a sentence or two")
    formula: str = Field("", description="weights, activations and gradients in plain text, a line each")
    choices: str = Field("", description="where the paper leaves room or its code differs: which way this one goes")
    bconvs: int | None = Field(
        None, ge=0, description="binary convolutions that a layer becomes; 1 or 0, as the deploy class says, for None"
    )
    short_training: dict[str, float] = Field(
        {}, description="hyperparameters for a few epochs on a small network, where the paper's need many"
    )
    published: tuple[Published, ...] = Field((), description="results to compare with")

    @property
    def binary_convolutions(self) -> int:
        """How many LceBconv2d a binary layer becomes."""
        if self.bconvs is not None:
            return self.bconvs
        return 0 if self.deploy_class in ("W", "Q", "float") else 1
