"""From linear operators to LceBconv2d."""
