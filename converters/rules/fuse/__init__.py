"""Moves operators into an LceBconv2d, or between LceBconv2d and LceQuantize."""
