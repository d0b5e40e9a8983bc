"""What a file sees through a camera, frame by frame, here or as a page for a browser on this machine."""

import io
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobile_bnn.errors import UsageError

if TYPE_CHECKING:
    from mobile_bnn.runtime import ClassScore, Interpreter
    from mobile_bnn.runtime.cameras import Camera
    from mobile_bnn.runtime.images import Pixels

_MEAN_OF = 20  # frames that the frame rate is the mean of
_PATIENCE_S = 5.0  # that a browser waits for a frame
_PAGE = Path(__file__).with_name("live_page.html")


@dataclass(frozen=True)
class Look:
    """A frame and what the file sees on it.

    Attributes:
        frame: uint8 [height, width, channels].
        classes: the most probable first.
        latency_ms: of cropping, normalizing and the inference together.
        frames_per_second: of camera and file together, over the last frames.
    """

    frame: "Pixels"
    classes: "list[ClassScore]"
    latency_ms: float
    frames_per_second: float


def looks(interpreter: "Interpreter", camera: "Camera", top: int) -> Iterator[Look]:
    """What a file sees, for as long as the camera gives frames.

    Raises:
        UsageError: the file is not a classifier of images.
        MobileBnnError: the camera gives no more.
    """
    times: deque[float] = deque(maxlen=_MEAN_OF)
    for frame in camera.frames():
        began = time.perf_counter()
        classes = interpreter.classify(frame, top=top)
        now = time.perf_counter()
        times.append(now)
        span = times[-1] - times[0]
        yield Look(frame, classes, (now - began) * 1e3, (len(times) - 1) / span if span else 0.0)


class LivePage:
    """A page that shows a camera and what a file sees, at `url`; a context that ends with its threads.

    Args:
        interpreter: the file.
        camera: what it looks through.
        top: how many classes are named.
        host: the address to listen on; 127.0.0.1 lets nobody else look.
        port: 0 takes a free one.

    Raises:
        UsageError: the port is in use, or may not be used.
    """

    def __init__(self, interpreter: "Interpreter", camera: "Camera", *, top: int, host: str, port: int) -> None:
        self._looks = looks(interpreter, camera, top)
        self._state = _State()
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(self._state, {host, "localhost"}))
        except OSError as error:
            cure = "Take another --web PORT"
            raise UsageError(f"the page cannot listen on {host}:{port}", why=error.strerror or "", cure=cure) from error
        self._server.daemon_threads = True
        self.url = f"http://{host}:{self._server.server_address[1]}/"

    def __enter__(self) -> "LivePage":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._state.end()
        self._server.shutdown()
        self._server.server_close()

    def run(self, on_look: Callable[[Look], None] = lambda look: None) -> None:
        """Shows what is seen until the camera ends, or Ctrl-C.

        Raises:
            MobileBnnError: as `looks` does.
        """
        for look in self._looks:
            self._state.show(look)
            on_look(look)


class _State:
    """The newest look, for which browsers wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._number, self._ended = 0, False
        self._jpeg, self._told = b"", b"{}"

    def show(self, look: Look) -> None:
        from PIL import Image

        content = io.BytesIO()
        Image.fromarray(look.frame if look.frame.shape[2] > 1 else look.frame[..., 0]).save(content, "jpeg", quality=80)
        told = {
            "classes": [asdict(each) for each in look.classes],
            "latency_ms": look.latency_ms,
            "frames_per_second": look.frames_per_second,
        }
        with self._changed:
            self._jpeg, self._told = content.getvalue(), json.dumps(told).encode("utf-8")
            self._number += 1
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def told(self) -> bytes:
        with self._changed:
            return self._told

    def next_frame(self, after: int) -> tuple[int, bytes] | None:
        """The number and the JPEG of a newer frame; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._number > after, _PATIENCE_S)
            return None if self._ended or self._number <= after else (self._number, self._jpeg)


def _handler(state: _State, names: set[str]) -> type[BaseHTTPRequestHandler]:
    """Answers those who call this machine by one of these names.

    A page of somebody else's may give its own name this address, and would else see the camera through a browser here.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Host", "").rpartition(":")[0] not in names:
                self.send_error(HTTPStatus.FORBIDDEN)
            elif self.path == "/":
                self._send("text/html; charset=utf-8", _PAGE.read_bytes())
            elif self.path == "/classes":
                self._send("application/json", state.told())
            elif self.path == "/stream":
                self._stream()
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def _send(self, kind: str, content: bytes) -> None:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(content)

        def _stream(self) -> None:
            """JPEGs one after the other, each of which takes the place of the one before."""
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            number = 0
            with suppress(ConnectionError):  # the browser has left
                while frame := state.next_frame(number):
                    number, jpeg = frame
                    head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
                    self.wfile.write(head.encode("ascii") + jpeg + b"\r\n")

        def log_message(self, format: str, *arguments: Any) -> None:
            """The terminal shows what is seen, not who asks."""

    return Handler
