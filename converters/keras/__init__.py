"""All that needs TensorFlow: exporting Keras models, freezing, Larq's layers, LCE's converter."""
