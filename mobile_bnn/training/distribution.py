"""tf.distribute: the strategy of a recipe, and whether this process is the one that writes files."""

import json
import os

from mobile_bnn.errors import UsageError
from mobile_bnn.legacy_keras import tf
from mobile_bnn.typing import TfStrategy

_EXAMPLE = (
    'set it on every worker, for example TF_CONFIG=\'{"cluster": {"worker": ["127.0.0.1:12345", "127.0.0.1:23456"]}, '
    '"task": {"type": "worker", "index": 0}}\', with the index of that worker'
)


def _check_tf_config() -> None:
    text = os.environ.get("TF_CONFIG", "")
    if not text:
        raise UsageError("strategy multi_worker needs the environment variable TF_CONFIG", cure=_EXAMPLE)
    try:
        config = json.loads(text)
        workers, task = config["cluster"]["worker"], config["task"]
        valid = task["type"] == "worker" and 0 <= int(task["index"]) < len(workers)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError("TF_CONFIG does not describe a cluster of workers", cure=_EXAMPLE) from error
    if not valid:
        raise UsageError(f"TF_CONFIG's task {task} is not one of its {len(workers)} workers", cure=_EXAMPLE)


def make(name: str) -> TfStrategy:
    """The strategy called `name`: none, mirrored or multi_worker.

    Raises:
        UsageError: multi_worker without a TF_CONFIG that describes the workers.
    """
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    if name == "multi_worker":
        _check_tf_config()
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.get_strategy()


def is_chief(strategy: TfStrategy) -> bool:
    """Whether this process writes the run's files: the only one, or worker 0."""
    resolver = strategy.cluster_resolver
    return resolver is None or resolver.task_id in (None, 0)
