"""Compares a file with what it was made from: layer by layer, and on a whole data set."""
