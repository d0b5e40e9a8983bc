"""Keras layers and quantizers that methods need and Larq lacks; importing them registers them with Keras."""

from mobile_bnn.registry import import_modules

import_modules(__name__, __path__)
