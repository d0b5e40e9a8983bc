"""Rewrites a graph into the forms that the binarization rules match."""
