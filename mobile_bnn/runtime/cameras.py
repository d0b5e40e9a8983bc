"""Cameras that give frames one after the other: the Raspberry Pi's own, any that Linux knows, or a folder of images."""

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from mobile_bnn.errors import MobileBnnError, UsageError, first_line
from mobile_bnn.runtime.images import SUFFIXES, Pixels, read_image

AUTO = "auto"
SIZE = (640, 480)  # width, height that cameras are asked for
_CURE = "pip install 'mobile-bnn[camera]'"


class Camera(Protocol):
    """Something that gives images for as long as it is open.

    Attributes:
        name: which one it is.
    """

    name: str

    def frames(self) -> Iterator[Pixels]:
        """Frames, uint8 [height, width, 3], each the newest one when it is asked for.

        Raises:
            MobileBnnError: it was unplugged, or gives no more.
        """

    def close(self) -> None:
        """Lets others use it."""


def open_camera(which: str) -> Camera:
    """A camera.

    Args:
        which: auto for the Raspberry Pi's own where there is one, else /dev/video0; a device or its number; or a
            folder whose images are shown again and again.

    Raises:
        UsageError: there is no such camera, or this user may not use it.
        MobileBnnError: it cannot be started.
    """
    if Path(which).is_dir():
        return FolderCamera(Path(which))
    if which == AUTO and (pi := _pi_camera()):
        return pi
    number = "0" if which == AUTO else which
    device = Path(f"/dev/video{number}" if number.isdecimal() else number)
    if not device.exists():
        there = ", ".join(map(str, sorted(Path("/dev").glob("video[0-9]*"))))
        raise UsageError(f"there is no camera {device}", cure=f"There are {there}" if there else "Plug one in")
    return VideoDevice(device)


class FolderCamera:
    """The images of a folder as frames, 30 a second, from the first one again after the last."""

    def __init__(self, folder: Path) -> None:
        self.name = str(folder)
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
        self._frames = [frame for frame in map(_readable, paths) if frame is not None]
        if not self._frames:
            raise UsageError(f"{folder} holds no image that can be read")
        self._open = True

    def frames(self) -> Iterator[Pixels]:
        """Its images."""
        while self._open:
            for frame in self._frames:
                yield frame
                time.sleep(1 / 30)

    def close(self) -> None:
        """Ends."""
        self._open = False


class VideoDevice:
    """A camera of Linux (V4L2), which gives JPEG frames, as nearly all do."""

    def __init__(self, device: Path) -> None:
        try:
            from linuxpy.video.device import Device, VideoCapture
        except ImportError as error:
            raise MobileBnnError("no camera can be used", why="linuxpy is not installed", cure=_CURE) from error
        self.name = str(device)
        try:
            self._device: Any = Device(str(device))
            self._device.open()
            try:
                self._capture = VideoCapture(self._device)
                self._capture.set_format(*SIZE, "MJPG")
            except OSError:
                self.close()
                raise
        except PermissionError as error:
            cure = "sudo usermod -aG video $USER, and log in anew"
            raise UsageError(f"the camera {device} may not be used", why=first_line(error), cure=cure) from error
        except OSError as error:
            raise MobileBnnError(f"the camera {device} cannot be started", why=first_line(error)) from error

    def frames(self) -> Iterator[Pixels]:
        """What it sees."""
        try:
            with self._capture as stream:
                for frame in stream:
                    yield read_image(bytes(frame))
        except OSError as error:
            raise MobileBnnError(f"the camera {self.name} gives no more images", why=first_line(error)) from error

    def close(self) -> None:
        """Closes the device."""
        with suppress(OSError):
            self._device.close()


class PiCamera:
    """The camera of a Raspberry Pi, by picamera2, which the system brings."""

    def __init__(self, library: Any) -> None:
        self.name = "the Raspberry Pi's camera"
        try:
            self._camera: Any = library()
            main = {"size": SIZE, "format": "BGR888"}  # which is RGB in NumPy
            self._camera.configure(self._camera.create_video_configuration(main=main))
            self._camera.start()
        except (RuntimeError, IndexError, OSError) as error:
            raise MobileBnnError(f"{self.name} cannot be started", why=first_line(error)) from error

    def frames(self) -> Iterator[Pixels]:
        """What it sees."""
        try:
            while True:
                yield self._camera.capture_array()
        except (RuntimeError, OSError) as error:
            raise MobileBnnError(f"{self.name} gives no more images", why=first_line(error)) from error

    def close(self) -> None:
        """Stops it."""
        self._camera.stop()
        self._camera.close()


def _readable(path: Path) -> Pixels | None:
    try:
        return read_image(path)
    except MobileBnnError:
        return None


def _pi_camera() -> Camera | None:
    """None where the system has no picamera2, or no such camera is plugged in."""
    try:
        from picamera2 import Picamera2  # type: ignore[import-not-found]
    except ImportError:
        return None
    return PiCamera(Picamera2) if Picamera2.global_camera_info() else None
