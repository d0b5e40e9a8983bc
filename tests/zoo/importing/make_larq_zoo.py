"""Makes larq_zoo.npz: the names, shapes and order of Larq Zoo's weights, and its logits for seeded ones.

The tests need neither Larq Zoo nor this script. It was run once, with the project's own environment and beside it
    pip install --no-deps --target larq-zoo larq-zoo==2.4.0 zookeeper==1.4.0 typeguard==4.6.1 click==8.5.1
    PYTHONPATH=larq-zoo python tests/zoo/importing/make_larq_zoo.py
"""

import json
from pathlib import Path

import numpy as np
from seeded_weights import images, seeded

from mobile_bnn.legacy_keras import tf

import larq_zoo  # isort: skip  # after the Keras that it needs is chosen

# The AlexNets are their size only for images of 224x224.
NETWORKS = {
    "binary_alexnet": (larq_zoo.literature.BinaryAlexNet, 224),
    "binary_densenet28": (larq_zoo.literature.BinaryDenseNet28, 64),
    "binary_densenet37": (larq_zoo.literature.BinaryDenseNet37, 64),
    "binary_densenet37_dilated": (larq_zoo.literature.BinaryDenseNet37Dilated, 64),
    "binary_densenet45": (larq_zoo.literature.BinaryDenseNet45, 64),
    "binary_resnet_e18": (larq_zoo.literature.BinaryResNetE18, 64),
    "birealnet18": (larq_zoo.literature.BiRealNet, 64),
    "dorefa_net": (larq_zoo.literature.DoReFaNet, 224),
    "meliusnet22": (larq_zoo.literature.MeliusNet22, 64),
    "quicknet": (larq_zoo.sota.QuickNet, 64),
    "quicknet_large": (larq_zoo.sota.QuickNetLarge, 64),
    "quicknet_small": (larq_zoo.sota.QuickNetSmall, 64),
    "real_to_binary_net": (larq_zoo.literature.RealToBinaryNet, 64),
    "xnornet": (larq_zoo.literature.XNORNet, 224),
}
IMAGES = 3


def norms(model):
    """The batch norms of a model by their name."""
    return {each.name: each for each in model.layers if isinstance(each, tf.keras.layers.BatchNormalization)}


def fill(model, spreads):
    """Gives every layer its seeded weights."""
    for layer in model.layers:
        arrays = [seeded(each.name, each.shape.as_list(), spreads.get(layer.name, 1.0)) for each in layer.weights]
        layer.set_weights(arrays)


def spreads_of(model, x):
    """The variance that each batch norm sees, one number each: the mean over its channels."""
    for norm in norms(model).values():
        norm.momentum = 0.0
    model(x, training=True)
    return {name: float(f"{norm.moving_variance.numpy().mean():.2g}") for name, norm in norms(model).items()}


def main():
    """Writes the fixture."""
    content = {}
    for name, (build, size) in NETWORKS.items():
        tf.keras.backend.clear_session()
        model = build(weights=None, input_shape=(size, size, 3))
        x = images(IMAGES, size, size)
        fill(model, {})
        spreads = spreads_of(model, x)
        fill(model, spreads)
        layout = [
            [layer.name, spreads.get(layer.name, 1.0), [[each.name, each.shape.as_list()] for each in layer.weights]]
            for layer in model.layers
        ]
        last = model.layers[-1]
        logits = tf.keras.Model(model.input, last.input)(x, training=False).numpy().reshape(IMAGES, -1)
        record = {"model": model.name, "input_shape": [size, size, 3], "layers": layout}
        content[f"{name}/layout"] = np.frombuffer(json.dumps(record).encode(), np.uint8)
        content[f"{name}/logits"] = logits[:, ::10]
        print(name, logits.shape, np.abs(logits).max(), logits.std(0).mean(), model.count_params())
    np.savez_compressed(Path(__file__).with_name("larq_zoo.npz"), **content)


if __name__ == "__main__":
    main()
