"""What the native library says of its kernels."""

import pytest

from mobile_bnn.errors import UsageError
from mobile_bnn.runtime import kernel_name


def test_a_kernel_s_name_has_the_tile() -> None:
    assert kernel_name("portable") == "portable-1x32"


def test_an_instruction_set_that_the_library_has_not() -> None:
    with pytest.raises(UsageError, match="the native library has no instruction set 'mmx'"):
        kernel_name("mmx")
