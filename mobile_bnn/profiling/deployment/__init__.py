"""Lays mobile_bnn on a board that has nothing but Python 3: `mobile_bnn.profiling.deploy` puts it together."""
