"""Whether the phone lets a host in: it sends a random token, the host signs it, or shows its public key."""

import base64
import secrets
import struct
from typing import Literal

Policy = Literal["open", "asks", "refuses"]

TOKEN, SIGNATURE, PUBLIC_KEY = 1, 2, 3
_TOKEN_BYTES = 20  # the length of a SHA-1: adb signs the token as though it were one
_SHA1_PREFIX = bytes.fromhex("3021300906052b0e03021a05000414")  # what PKCS #1 puts before a SHA-1
_KEY = struct.Struct("<II256s256sI")  # words of the modulus, its inverse, modulus, R squared, exponent


class Authorization:
    """Asks nothing ("open"), takes a new key as if its user had accepted the dialog ("asks"), or takes none."""

    def __init__(self, policy: Policy = "open") -> None:
        self.policy = policy
        self.keys: list[bytes] = []
        self._token = b""

    def new_token(self) -> bytes:
        """What the host has to sign next."""
        self._token = secrets.token_bytes(_TOKEN_BYTES)
        return self._token

    def accepts(self, kind: int, payload: bytes) -> bool:
        """Whether the host's answer lets it in: a signature by a known key, or a new key if its user says so."""
        if self.policy == "refuses":
            return False
        if kind == PUBLIC_KEY:
            self.keys.append(base64.b64decode(payload.split()[0]))
            return True
        return any(_is_signed(self._token, payload, key) for key in self.keys)


def _is_signed(token: bytes, signature: bytes, key: bytes) -> bool:
    """Whether an RSA signature of 2048 bits is the token's, with PKCS #1's padding."""
    _, _, modulus, _, exponent = _KEY.unpack(key)
    opened = pow(int.from_bytes(signature, "big"), exponent, int.from_bytes(modulus, "little"))
    content = _SHA1_PREFIX + token
    padded = b"\x00\x01" + b"\xff" * (len(modulus) - len(content) - 3) + b"\x00" + content
    return opened.to_bytes(len(modulus), "big") == padded
