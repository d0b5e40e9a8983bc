"""Larq Zoo's files by their SHA-256: what a file is, where its arrays alone would fit two networks.

The sums stand in larq-zoo 2.4.0, which checks what it downloads with them.
"""

from mobile_bnn.errors import MobileBnnError
from mobile_bnn.files import sha256
from mobile_bnn.zoo.importing.checkpoints import Checkpoint

_WHOLE = {
    "binary_alexnet": "7fc065c47c5c1d92389e0bb988ce6df6a4fa09d803b866e2ba648069d6652d63",
    "binary_densenet28": "21fe3ca03eed244df9c41a2219876fcf03e73800932ec96a3e2a76af4747ac53",
    "binary_densenet37": "8056a5d52c3ed86a934893987d09a06f59a5166aa9bddcaedb050f111d0a7d76",
    "binary_densenet37_dilated": "15c1bcd79b8dc22971382fbf79acf364a3f51049d0e584a11533e6fdbb7363d3",
    "binary_densenet45": "d00a0d26fbd2dba1bfba8c0306c770f3aeea5c370e99f963bb239bd916f72c37",
    "binary_resnet_e18": "bde4a64d42c164a7b10a28debbe1ad5b287c499bc0247ecb00449e6e89f3bf5b",
    "birealnet18": "6e6efac1584fcd60dd024198c87f42eb53b5ec719a5ca1f527e1fe7e8b997117",
    "dorefa_net": "645d7839d574faa3eeeca28f3115773d75da3ab67ff6876b4de12d10245ecf6a",
    "meliusnet22": "c1ba85e8389ae326009665ec13331e49fc3df4d0f925fa8553e224f7362c18ed",
    "quicknet": "8aba9e4e5f8d342faef04a0b2ae8e562da57dbb7d15162e8b3e091c951ba756c",
    "quicknet_large": "c5158e8a59147b31370becd937825f4db8a5cdf308314874f678f596629be45c",
    "quicknet_small": "1ac3b07df7f5a911dd0b49febb2486428ddf1ca130297c403815dfae5a1c71a2",
    "real_to_binary_net": "e8fd16ca1ab9810ac3835f24f5c62758a57bc32a615f73aaa50d382d2b9617e1",
    "xnornet": "e6ba24f785655260ae76a2ef1fab520e3528243d9c8fac430299cd81dbeabe10",
}
_WITHOUT_LAST_LAYER = {
    "binary_alexnet": "1d41b33ff39cd28d13679392641bf7711174a96d182417f91df45d0548f5bb47",
    "binary_densenet28": "a376df1e41772c4427edd1856072b934a89bf293bf911438bf6f751a9b2a28f5",
    "binary_densenet37": "4e12bca9fd27580a5b833241c4eb35d6cc332878c406048e6ca8dbbc78d59175",
    "binary_densenet37_dilated": "8b31fbfdc8de08a46c6adcda1ced48ace0a2ff0ce45a05c72b2acc27901dd88b",
    "binary_densenet45": "e72d5cc6b0afe4612f8be7b1f9bb48a53ba2c8468b57bf1266d2900c99fd2adf",
    "binary_resnet_e18": "14cb037e47d223827a8d09db88ec73d60e4153a4464dca847e5ae1a155e7f525",
    "birealnet18": "5148b61c0c2a1094bdef811f68bf4957d5ba5f83ad26437b7a4a6855441ab46b",
    "dorefa_net": "8650e8a86d8d3968722cf5f20bcebe74d6d7bb45bbf03c4bb8c6486343f37e31",
    "meliusnet22": "abfc5c50049d72a14e44df0c1cb73896ece2a1ab4bf9bb48fede6cc2f5e0b58f",
    "quicknet": "204414e438373f14f6056a1c098249f505a87dd238e18d3a47a9bd8b66227881",
    "quicknet_large": "adcf154a2a8007e81bd6af77c035ffbf54cd6413b89a0ba294e23e76a82a1b78",
    "quicknet_small": "be8ba657155846be355c5580d1ea56eaf8282616de065ffc39257202f9f164ea",
    "real_to_binary_net": "4ec47abf1a4da5c65f4908076257e8d5c812673891089a88c9d9e84e949d1dab",
    "xnornet": "20a17423090b2c80c6b7a6b62346faa4b2b7dc8d4da99efa792c9351cf86c3d5",
}
_ALIKE = {"binary_densenet37": "binary_densenet37_dilated", "binary_densenet37_dilated": "binary_densenet37"}


def check_file(checkpoint: Checkpoint, network: str) -> list[str]:
    """Refuses a file of Larq Zoo's that has another network's weights.

    Args:
        checkpoint: the file.
        network: that they are to be loaded into.

    Returns:
        What a user should know: a note where no one can tell two networks apart.

    Raises:
        MobileBnnError: it is another network's, or one without its last layer.
    """
    if checkpoint.format != "Keras":
        return []
    digest = sha256(checkpoint.path)
    for name, known in _WITHOUT_LAST_LAYER.items():
        if digest == known:
            cure = "Take the file whose name does not end in _notop"
            raise MobileBnnError(f"{checkpoint.path} has Larq Zoo's {name} without its last layer", cure=cure)
    whose = next((name for name, known in _WHOLE.items() if digest == known), "")
    if whose and whose != network:
        raise MobileBnnError(f"{checkpoint.path} has Larq Zoo's weights of {whose}, not of {network}")
    if network not in _ALIKE or whose or checkpoint.model:
        return []
    return [f"{_ALIKE[network]} has arrays of the same names and shapes, and the file does not say which network it is"]
