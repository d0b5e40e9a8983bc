"""Names of a layer's variables that do not depend on what was built before."""

from mobile_bnn.typing import KerasLayer, KerasVariable


def named_variables(layer: KerasLayer) -> list[tuple[str, KerasVariable]]:
    """The variables in order, by their names without scopes: "kernel", and "t#2" for the second one called "t"."""
    seen: dict[str, int] = {}
    found = []
    for variable in layer.weights:
        short = variable.name.rpartition("/")[2].partition(":")[0]
        seen[short] = seen.get(short, 0) + 1
        found.append((short if seen[short] == 1 else f"{short}#{seen[short]}", variable))
    return found
