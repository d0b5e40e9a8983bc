"""What went wrong on the way to a board, in one line: asyncssh's exceptions as errors with a cure."""

import asyncio
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.profiling.targets.ssh_address import SshAddress
from mobile_bnn.profiling.targets.target import TargetLostError

if TYPE_CHECKING:
    import asyncssh

CONNECT_S = 20  # the login included, which a busy board takes seconds for


def untrusted(url: str, address: SshAddress, key: "asyncssh.SSHKey", name: str, known: bool) -> MobileBnnError:
    """The board's key is not the one in known_hosts (`known`), or none is there; `name` is what it is kept under."""
    fingerprint = f"{key.get_algorithm()} {key.get_fingerprint()}"
    if known:
        return MobileBnnError(
            f"THE HOST KEY OF {url} HAS CHANGED, and nothing was sent",
            why=f"it shows {fingerprint}, which is not the key in known_hosts: another machine may answer in its place",
            cure=f"Only if the board was installed anew, run `ssh-keygen -R {shlex.quote(name)}`",
        )
    return MobileBnnError(
        f"the host key of {url} is not known",
        why=f"it shows {fingerprint}",
        cure=f"Run `ssh {address.arguments()}` once, compare the fingerprint with the board's own, and answer yes",
    )


def refused(url: str, address: SshAddress, user: str, keys: int, encrypted: Sequence[Path]) -> MobileBnnError:
    """The board took none of `keys` keys; `encrypted` ones ask for a passphrase and were not tried."""
    if encrypted:
        names = " ".join(shlex.quote(str(path)) for path in encrypted)
        ask = "asks" if len(encrypted) == 1 else "ask"
        why, cure = f"{names} {ask} for a passphrase, and no agent holds the key", f"Run `ssh-add {names}`"
    elif not keys:
        why = "there is no key in ~/.ssh and none in an agent"
        cure = f"Run `ssh-keygen -t ed25519`, then `ssh-copy-id {address.arguments()}`"
    else:
        why = "it does not take your key" if keys == 1 else f"it takes none of your {keys} keys"
        cure = f"Run `ssh-copy-id {address.arguments()}`"
    return MobileBnnError(f"{url} refuses to let {user} in", why=why, cure=cure)


def unreachable(url: str, error: BaseException) -> TargetLostError:
    """There was no connection."""
    if isinstance(error, asyncio.TimeoutError) and not getattr(error, "errno", None):
        why = f"no answer within {CONNECT_S} s"
    else:
        why = _system_said(error) or first_line(error)
    return TargetLostError(
        f"{url} cannot be reached", why=why, cure="Look whether it is switched on and its name is right"
    )


def _system_said(error: BaseException) -> str:
    """What the system said, such as "Connection refused", without the addresses that Python adds."""
    if not isinstance(error, OSError) or not (number := error.errno):
        return ""
    return os.strerror(number) if number > 0 else str(error.strerror)  # negative: of a name's look-up


def lost(url: str) -> TargetLostError:
    """The connection has ended."""
    cure = "Look after the board and its network, and run the command again"
    return TargetLostError(f"the connection to {url} is lost", why="the board does not answer any more", cure=cure)
