"""The weights that a training begins with: those of the package, or another run's."""

from pathlib import Path

from mobile_bnn import zoo
from mobile_bnn.errors import UsageError
from mobile_bnn.run_folder import RunFolder
from mobile_bnn.training.nested import Nested
from mobile_bnn.typing import Array


def is_path(weights: str, architecture: str | None) -> bool:
    """Whether weights are named by a run folder or a .keras file, not by a tag of the architecture's."""
    if "/" in weights or "\\" in weights or weights.endswith(".keras"):
        return True
    return Path(weights).is_dir() and not (architecture and weights in zoo.tags(architecture))


def located(weights: str, architecture: str) -> str:
    """The same with an absolute path, where it is one."""
    return str(Path(weights).expanduser().absolute()) if is_path(weights, architecture) else weights


def choices_of(weights: str, architecture: str | None) -> Nested:
    """What a recipe must have for weights to fit: the architecture, its options, the method and the task.

    Args:
        weights: a tag, a run folder or a .keras file, which tells nothing.
        architecture: whose tag it is.

    Raises:
        UsageError: there are no such weights, or they are of another architecture.
    """
    if not is_path(weights, architecture):
        if architecture is None:
            raise UsageError(f"{weights} is a tag of an architecture's weights", cure="Name the architecture: --zoo")
        record = zoo.trained(zoo.get(architecture).name, weights)
        return _without_empty(
            {"zoo": record.zoo, "task": record.task, "method": record.method, "network": record.network}
        )
    file = _file(weights)
    recipe = RunFolder(file.parent).recipe
    if not recipe.is_file():
        return {}
    from mobile_bnn.training.recipe import Recipe

    nested = Recipe.read(recipe).nested()
    if architecture not in (None, nested["zoo"]):
        raise UsageError(f"the weights of {weights} are of {nested['zoo']}, not of {architecture}")
    return _without_empty({key: nested.get(key) for key in ("zoo", "task", "method", "network")})


def initial_weights(weights: str, architecture: str) -> dict[str, Array]:
    """By name, see `zoo.trained.named_weights`.

    Raises:
        UsageError: there are no such weights.
        MobileBnnError: their file is damaged.
    """
    from mobile_bnn.training.saved_models import saved_model
    from mobile_bnn.zoo.trained import named_weights, packed_weights
    from mobile_bnn.zoo.trained.records import WEIGHTS

    if not is_path(weights, architecture):
        return packed_weights.read(zoo.trained(architecture, weights).file(WEIGHTS))
    return named_weights.weights_of(saved_model(_file(weights)))


def _without_empty(fields: Nested) -> Nested:
    return {key: value for key, value in fields.items() if value}


def _file(weights: str) -> Path:
    path = Path(weights).expanduser()
    file = RunFolder(path).model if path.is_dir() else path
    if not file.is_file():
        what = f"{path} holds no trained model" if path.is_dir() else f"there is no file {file}"
        raise UsageError(what, cure="Name a run folder, a .keras file, or a tag of mbnn zoo list --weights")
    return file
