"""Signs an APK with the debug key that Android Studio uses on this machine, or makes one like it."""

import os
from pathlib import Path

from programs import run
from resources import MIN_SDK

from mobile_bnn.errors import MobileBnnError

VARIABLE = "MBNN_ANDROID_KEYSTORE"
_PASSWORD, _ALIAS = "android", "androiddebugkey"  # what every tool for Android takes: a debug key protects nothing


def keystore() -> Path:
    """The file with the debug key: where the variable points, or ~/.android/debug.keystore; made where it is missing.

    It lies outside the build folder: an APK of another key cannot replace an installed one.

    Raises:
        MobileBnnError: the file that the variable names is not there, or none can be made.
    """
    given = os.environ.get(VARIABLE)
    path = Path(given) if given else Path.home() / ".android" / "debug.keystore"
    if path.is_file():
        return path
    if given:
        raise MobileBnnError(f"there is no keystore {path}", why=f"{VARIABLE} names it", cure=f"Unset {VARIABLE}")
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    run(
        [
            *("keytool", "-genkeypair", "-keystore", part, "-storetype", "PKCS12", "-storepass", _PASSWORD),
            *("-keypass", _PASSWORD, "-alias", _ALIAS, "-keyalg", "RSA", "-keysize", "2048", "-validity", "10950"),
            *("-dname", "CN=Android Debug,O=Android,C=US"),
        ],
        "making a debug key",
    )
    part.replace(path)
    return path


def sign(unsigned: Path, signed: Path, key: Path) -> None:
    """Writes `signed` with signatures of the schemes 1, 2 and 3, and verifies them.

    Raises:
        MobileBnnError: the keystore cannot be used, or the result does not verify.
    """
    run(
        [
            *("apksigner", "sign", "--ks", key, "--ks-pass", f"pass:{_PASSWORD}", "--ks-key-alias", _ALIAS),
            *("--min-sdk-version", str(MIN_SDK), "--v1-signing-enabled", "true", "--v2-signing-enabled", "true"),
            *("--v3-signing-enabled", "true", "--v4-signing-enabled", "false", "--out", signed, unsigned),
        ],
        f"signing with {key}",
    )
    run(["apksigner", "verify", "--min-sdk-version", str(MIN_SDK), signed], "verifying the signature")
