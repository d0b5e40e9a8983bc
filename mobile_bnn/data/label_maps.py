"""Label maps: uint8 [height, width], a class number for each pixel."""

IGNORED = 255
"""The label of pixels that do not count, VOC's "void"."""
