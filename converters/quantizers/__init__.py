"""Quantizers, recognized by the values they give instead of the way they are written."""
