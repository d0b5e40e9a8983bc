"""Names that litert-torch gives to tensors, as a reader wants them.

It writes where in the model each operator comes from, one module in another, each as the path of its class, `_` and
the attribute that holds it; of operators that were fused, all of them.
"""

import re

_MODULE = re.compile(r"(?:\w+\.)+(\w+)")


def module_name(tensor: str) -> str:
    """The module that a tensor is computed in, such as `Sequential_blocks/Conv2d_0`; any other name as it is."""
    for place in reversed(tensor.split(";")):
        classes = [_MODULE.fullmatch(part) for part in place.split("/")]
        found = [match.group(1) for match in classes if match]
        if len(found) == len(classes) > 1:
            return "/".join(found[1:])  # the first is the model
    return tensor
