"""A stream of adb: what a host opened to one service, many of them over one connection."""

import queue
import threading
from collections.abc import Callable

from tests.devices.phone.packets import CLSE, OKAY, WRTE, Packet


class StreamClosedError(ConnectionError):
    """The host has closed the stream, or has gone."""


class Stream:
    """The phone's end. Each write waits until the host has taken the one before, as the protocol asks."""

    def __init__(self, own: int, others: int, send: Callable[[Packet], None], most: int) -> None:
        self.own, self.others = own, others
        self._send, self._most = send, most
        self._arrived: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._taken = threading.Semaphore(0)
        self._buffer = b""
        self.closed = threading.Event()

    def arrive(self, payload: bytes) -> None:
        """Called with what the host wrote."""
        self._arrived.put(payload)

    def take(self) -> None:
        """Called when the host has taken what was written last."""
        self._taken.release()

    def end(self) -> None:
        """Called when the host has closed it."""
        self.closed.set()
        self._arrived.put(None)
        self._taken.release()

    def accept(self) -> None:
        """Tells the host that there is such a service."""
        self._send(Packet(OKAY, self.own, self.others))

    def read_some(self) -> bytes:
        """What arrives next.

        Raises:
            StreamClosedError: the host has closed it.
        """
        if self._buffer:
            found, self._buffer = self._buffer, b""
            return found
        payload = self._arrived.get()
        if payload is None:
            self._arrived.put(None)
            raise StreamClosedError
        self._send(Packet(OKAY, self.own, self.others))
        return payload

    def read(self, size: int) -> bytes:
        """So many bytes.

        Raises:
            StreamClosedError: the host has closed it before.
        """
        while len(self._buffer) < size:
            kept, self._buffer = self._buffer, b""
            self._buffer = kept + self.read_some()
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def write(self, content: bytes) -> None:
        """Sends it in packets that the host can take.

        Raises:
            StreamClosedError: the host has closed it.
        """
        for start in range(0, len(content), self._most):
            if self.closed.is_set():
                raise StreamClosedError
            self._send(Packet(WRTE, self.own, self.others, content[start : start + self._most]))
            self._taken.acquire()
        if self.closed.is_set():
            raise StreamClosedError

    def close(self) -> None:
        """Tells the host that the service has ended."""
        if not self.closed.is_set():
            self.closed.set()
            self._arrived.put(None)
            self._send(Packet(CLSE, self.own, self.others))
