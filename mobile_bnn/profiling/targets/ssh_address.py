"""Where a target of the kind ssh is: `ssh://user@host:port`, or a name of ~/.ssh/config."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from mobile_bnn.errors import UsageError

_CURE = "Give ssh://user@host, ssh://user@host:port or ssh://NAME with a name of ~/.ssh/config"


@dataclass(frozen=True)
class SshAddress:
    """What the URL says; `user` and `port` may be left to ~/.ssh/config."""

    host: str
    user: str | None = None
    port: int | None = None

    @classmethod
    def parse(cls, url: str) -> "SshAddress":
        """Reads a URL.

        Raises:
            UsageError: it is malformed, or holds a password.
        """
        what = f"the target {url!r} is malformed"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise UsageError(what, why=str(error), cure=_CURE) from error
        if parts.scheme != "ssh" or not parts.hostname:
            raise UsageError(what, why="it names no host", cure=_CURE)
        if parts.password is not None:
            raise UsageError(what, why="passwords are not taken, keys are", cure=_CURE)
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise UsageError(what, why="something follows the host", cure=_CURE)
        return cls(_host_as_written(parts.netloc), parts.username or None, port)

    def arguments(self) -> str:
        """What a user gives to `ssh` to get there."""
        port = f"-p {self.port} " if self.port else ""
        return f"{port}{self.user}@{self.host}" if self.user else f"{port}{self.host}"


def _host_as_written(place: str) -> str:
    """The host in its own case, which names of ~/.ssh/config have."""
    host = place.rpartition("@")[2]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
