"""The lock of a phone: one session measures or deploys at a time. The phone frees it when its holder dies."""

from contextlib import ExitStack

from mobile_bnn.profiling.android.device import Device
from mobile_bnn.profiling.android.layout import BASE, LOCK
from mobile_bnn.profiling.android.shell import read_packet, service
from mobile_bnn.profiling.targets.target import TargetLostError

# flock tells 1 where another has the lock. The shell keeps it until its standard input ends: with the connection.
_HOLD = """
mkdir -p "$1" || exit 2
exec 3<&0
{
    flock -n 9
    case $? in 1) echo busy; exit 1 ;; esac
    echo held
    read -r line <&3
} 9>"$2"
"""


class Lock:
    """Held from `take` until `release`, by a connection of its own."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._held: ExitStack | None = None

    def take(self) -> None:
        """Takes the lock unless this object has it.

        Raises:
            TargetLostError: another has it, or the phone has gone.
        """
        if self._held is not None:
            return
        with ExitStack() as stack:
            command = ["sh", "-c", _HOLD, "sh", BASE, LOCK]
            connection = stack.enter_context(self._device.open(service(command)))
            _, told = read_packet(connection)
            if b"busy" in told:
                raise TargetLostError(
                    f"the phone {self._device.serial} is busy",
                    why="another mobile_bnn measures on it, or deploys to it",
                    cure="Wait until that has ended",
                )
            if b"held" not in told:
                why = told.decode("utf-8", "replace").strip()
                raise TargetLostError(f"the phone {self._device.serial} cannot be written to", why=why)
            self._held = stack.pop_all()

    def release(self) -> None:
        """Gives it back, if it has it."""
        if self._held is not None:
            self._held.close()
            self._held = None
