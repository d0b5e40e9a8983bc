"""Methods and architectures that a test registers are known for that test alone."""

from mobile_bnn.methods.method import METHODS
from mobile_bnn.zoo.architecture import ARCHITECTURES


def forget_registrations(monkeypatch):
    """Undoes at the test's end what it will have registered."""
    for registry in (METHODS, ARCHITECTURES):
        for table in ("_known", "_homes"):
            monkeypatch.setattr(registry, table, dict(getattr(registry, table)))
