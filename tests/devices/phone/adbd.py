"""An adbd: listens on a loopback port, lets hosts in, and opens their streams to the services of services.py."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from tests.devices.phone.authorization import PUBLIC_KEY, TOKEN, Authorization
from tests.devices.phone.packets import (
    AUTH,
    CLSE,
    CNXN,
    MAX_PAYLOAD,
    OKAY,
    OPEN,
    VERSION,
    WRTE,
    Packet,
    read_packet,
)
from tests.devices.phone.stream import Stream, StreamClosedError

Service = Callable[[Stream, str], None]
FEATURES = "shell_v2,cmd"


class Adbd:
    """Serves on a port of its own until it is closed.

    Args:
        banner: the properties that a host is told, such as {"ro.product.model": "Pixel 8"}.
        services: by the beginning of what a host asks for, such as "shell"; it runs in a thread of its own.
        authorization: who is let in.
        features: what the host may use.
    """

    def __init__(
        self,
        banner: dict[str, str],
        services: dict[str, Service],
        authorization: Authorization,
        features: str = FEATURES,
    ) -> None:
        properties = ";".join(f"{key}={value}" for key, value in banner.items())
        self.banner = f"device::{properties};features={features}".encode()
        self.services, self.authorization = services, authorization
        self._connections: set[_Connection] = set()
        self.port = 0
        self.plug_in()

    def plug_in(self) -> None:
        """Listens: on a free port, or on the one from before it was unplugged."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with suppress(OSError):  # that of a listener which is closed
            while True:
                accepted, _ = self._listener.accept()
                connection = _Connection(self, accepted)
                self._connections.add(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: "_Connection") -> None:
        try:
            connection.serve()
        finally:
            self._connections.discard(connection)

    def drop(self) -> None:
        """Cuts every connection without a word, as when the cable is pulled; new ones are accepted."""
        for connection in list(self._connections):
            connection.cut()

    def unplug(self) -> None:
        """Cuts every connection and listens no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        self.drop()


class _Connection:
    """One host."""

    def __init__(self, adbd: Adbd, accepted: socket.socket) -> None:
        self._adbd, self._socket = adbd, accepted
        self._writing = threading.Lock()
        self._streams: dict[int, Stream] = {}
        self._most = 4096
        self._next = 1

    def cut(self) -> None:
        """Ends it without a word."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def serve(self) -> None:
        """Answers until the host goes."""
        with self._socket, suppress(OSError):
            try:
                while True:
                    self._answer(read_packet(self._socket))
            finally:
                for stream in list(self._streams.values()):
                    stream.end()

    def _send(self, packet: Packet) -> None:
        try:
            with self._writing:
                self._socket.sendall(packet.encode())
        except OSError as error:
            raise StreamClosedError from error

    def _answer(self, packet: Packet) -> None:
        stream = self._streams.get(packet.second)
        if packet.command == CNXN:
            self._most = min(packet.second, MAX_PAYLOAD)
            self._greet() if self._adbd.authorization.policy == "open" else self._challenge()
        elif packet.command == AUTH:
            taken = self._adbd.authorization.accepts(packet.first, packet.payload)
            if taken:
                self._greet()
            elif packet.first != PUBLIC_KEY:  # to a public key that is refused a phone says nothing
                self._challenge()
        elif packet.command == OPEN:
            self._open(packet)
        elif packet.command == WRTE and stream:
            stream.arrive(packet.payload)
        elif packet.command == OKAY and stream:
            stream.take()
        elif packet.command == CLSE and stream:
            stream.end()

    def _greet(self) -> None:
        self._send(Packet(CNXN, VERSION, MAX_PAYLOAD, self._adbd.banner))

    def _challenge(self) -> None:
        self._send(Packet(AUTH, TOKEN, 0, self._adbd.authorization.new_token()))

    def _open(self, packet: Packet) -> None:
        asked = packet.payload.rstrip(b"\0").decode("utf-8", "surrogateescape")
        service = self._adbd.services.get(asked.partition(":")[0].partition(",")[0])
        if service is None:  # a real one refuses what it does not know in the same way
            self._send(Packet(CLSE, 0, packet.first))
            return
        stream = Stream(self._next, packet.first, self._send, self._most)
        self._next += 1
        self._streams[stream.own] = stream
        threading.Thread(target=self._run, args=(service, stream, asked), daemon=True).start()

    def _run(self, service: Service, stream: Stream, asked: str) -> None:
        with suppress(StreamClosedError):
            stream.accept()
            try:
                service(stream, asked)
            finally:
                stream.close()
        self._streams.pop(stream.own, None)
