"""Names of PyTorch's modules, as litert-torch writes them into a file."""

import pytest

from mobile_bnn.converters.module_names import module_name

NET, NORM = "__main__.Net", "torch.nn.modules.batchnorm.BatchNorm2d_1"


@pytest.mark.parametrize(
    ("tensor", "module"),
    [
        (f"{NET}/torch.nn.modules.container.Sequential_body/my.layers.Conv_0;", "Sequential_body/Conv_0"),
        (f"{NET}/{NORM};;{NET}/torch.nn.modules.conv.Conv2d_stem;2", "Conv2d_stem"),
        (f"{NET}/{NORM};;", "BatchNorm2d_1"),
        (f"{NET};1", f"{NET};1"),
        ("serving_default_output_0_output", "serving_default_output_0_output"),
        ("model/conv2d/Conv2D;model/norm/batch.norm", "model/conv2d/Conv2D;model/norm/batch.norm"),
        ("a.b/c", "a.b/c"),
        ("", ""),
    ],
)
def test_names(tensor: str, module: str) -> None:
    assert module_name(tensor) == module
