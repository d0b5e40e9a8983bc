"""The kit that every binarization method passes, also one from outside: `check_method("theirs")`.

    from mobile_bnn.testing import check_layers, check_method

    def test_my_layers():
        check_layers("my_method")  # seconds: values, gradients, phases, mixed precision, saving and loading, conversion

    def test_my_method():
        check_method("my_method")  # half a minute: that, several devices, and a training that is broken off and goes on

It trains a small network on embedded images, and needs no network access.
"""

from mobile_bnn.testing.kit import check_layers, check_method

__all__ = ["check_layers", "check_method"]
