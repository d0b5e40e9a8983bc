"""What is known of a binarization method without training with it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Category = Literal["baseline", "naive", "quantization error", "loss", "gradient"]
DeployClass = Literal["1", "1r", "float"]

DEPLOY_CLASSES: dict[DeployClass, str] = {
    "1": "one binary convolution with a multiplier and a bias per channel",
    "1r": "one binary convolution after an exact rewrite that LCE's converter lacks: it leaves the layer float",
    "float": "a float convolution",
}


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
