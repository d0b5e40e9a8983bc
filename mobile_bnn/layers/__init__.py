"""Keras layers and quantizers that methods need and Larq lacks; importing one registers it with Keras, for loading."""
