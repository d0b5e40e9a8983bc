"""From a Keras model to a binary `.tflite`."""
