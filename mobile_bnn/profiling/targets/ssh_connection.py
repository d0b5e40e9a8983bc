"""A connection to a board over ssh, with keys, agent and ~/.ssh/config, whose host key known_hosts must vouch for.

asyncssh lives on an event loop in a thread of its own, so that signs of life go out while the caller waits or computes.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from mobile_bnn.errors import MobileBnnError, first_line
from mobile_bnn.profiling.targets import ssh_errors
from mobile_bnn.profiling.targets.ssh_address import SshAddress

if TYPE_CHECKING:
    import asyncssh
    from asyncssh import SSHClientConnectionOptions

T = TypeVar("T")

_SIGN_OF_LIFE_S = 3  # the connection is taken for lost after three that were not answered
_SSH_PORT = 22


class SshConnection:
    """A connection, from its making to its `close`, which the caller must call.

    Raises:
        UsageError: the URL is malformed.
        TargetLostError: the board cannot be reached.
        MobileBnnError: asyncssh is not installed, ~/.ssh/config cannot be read, the host key is not known or another
            one than it was, or the board takes no key.
    """

    def __init__(self, url: str) -> None:
        self.url, self.address = url, SshAddress.parse(url)
        self._asyncssh = _import_asyncssh(url)
        self.ssh_error: type[Exception] = self._asyncssh.Error
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=url, daemon=True)
        self._thread.start()
        try:
            self.ssh: asyncssh.SSHClientConnection = self.wait_for(self._connect())
        except BaseException:
            self._stop()
            raise

    def wait_for(self, doing: Coroutine[Any, Any, T], interrupted: Callable[[], None] | None = None) -> T:
        """What a coroutine yields on the connection's loop.

        Whatever interrupts the wait, Ctrl-C above all, first calls `interrupted`, and the coroutine is given up.
        """
        future: Future[T] = asyncio.run_coroutine_threadsafe(doing, self._loop)
        try:
            return future.result()
        except BaseException:
            if not future.done():
                try:
                    if interrupted:
                        interrupted()
                finally:
                    future.cancel()
            raise

    def close(self) -> None:
        """Ends the connection."""
        if self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self.ssh.abort)
        self._stop()

    def _stop(self) -> None:
        async def cancel_all() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _connect(self) -> "asyncssh.SSHClientConnection":
        given: dict[str, Any] = {}
        if self.address.user:
            given["username"] = self.address.user
        if self.address.port:
            given["port"] = self.address.port
        asyncssh, options = self._asyncssh, await self._options(given)
        known_hosts = _content_of(options.known_hosts)
        shown: list[tuple[Any, str, bool]] = []

        class Client(asyncssh.SSHClient):  # type: ignore[misc, name-defined]
            def validate_host_public_key(self, host: str, addr: str, port: int, key: Any) -> bool:
                # Called for a key that known_hosts does not have for this host.
                other_port = port if port != _SSH_PORT else None
                known = any(asyncssh.match_known_hosts(known_hosts, host, addr, other_port)[:3])
                shown.append((key, f"[{host}]:{port}" if other_port else host, known))
                return False

        try:
            return await asyncio.wait_for(
                asyncssh.connect(
                    self.address.host,
                    options=options,
                    known_hosts=known_hosts,
                    client_factory=Client,
                    agent_forwarding=False,
                    keepalive_interval=_SIGN_OF_LIFE_S,
                    keepalive_count_max=2,
                    **given,
                ),
                ssh_errors.CONNECT_S,
            )
        except asyncssh.HostKeyNotVerifiable as error:
            if not shown:
                raise MobileBnnError(f"the host key of {self.url} is not trusted", why=first_line(error)) from error
            raise ssh_errors.untrusted(self.url, self.address, *shown[0]) from error
        except asyncssh.PermissionDenied as error:
            raise await self._refused(options) from error
        except (OSError, asyncio.TimeoutError, asyncssh.Error) as error:
            raise ssh_errors.unreachable(self.url, error) from error

    async def _options(self, given: dict[str, Any]) -> "SSHClientConnectionOptions":
        """What ~/.ssh/config says of this host."""
        asyncssh = self._asyncssh
        try:
            kind: type[SSHClientConnectionOptions] = asyncssh.SSHClientConnectionOptions
            options: SSHClientConnectionOptions = await kind.construct(config=(), host=self.address.host, **given)
        except (asyncssh.ConfigParseError, asyncssh.KeyImportError, OSError, ValueError) as error:
            cure = "Mend ~/.ssh/config or the key files that it names"
            raise MobileBnnError(
                f"the settings for {self.url} cannot be read", why=first_line(error), cure=cure
            ) from error
        return options

    async def _refused(self, options: "SSHClientConnectionOptions") -> MobileBnnError:
        keys = len(options.client_keys or ())
        if options.agent_path:
            try:
                async with self._asyncssh.connect_agent(options.agent_path) as agent:
                    keys += len(await agent.get_keys())
            except (OSError, ValueError, self._asyncssh.Error):
                pass  # the agent that the environment names has ended
        encrypted = [path for path in _key_files(options) if self._asks_for_passphrase(path)]
        return ssh_errors.refused(self.url, self.address, options.username, keys, encrypted)

    def _asks_for_passphrase(self, path: Path) -> bool:
        try:
            self._asyncssh.read_private_key(path)
        except self._asyncssh.KeyEncryptionError:
            return True
        except (OSError, ValueError) as error:
            return "passphrase" in str(error).lower()
        return False


def _import_asyncssh(url: str) -> ModuleType:
    try:
        import asyncssh
    except ImportError as error:
        raise MobileBnnError(
            f"{url} needs AsyncSSH", why=first_line(error), cure="Run: pip install 'mobile-bnn[devices]'"
        ) from error
    return asyncssh


def _key_files(options: "SSHClientConnectionOptions") -> list[Path]:
    """The private keys that ssh would try: those that ~/.ssh/config names for the host, or those of usual names."""
    named: Any = options.config.get("IdentityFile", ())
    if named:
        return [Path(each).expanduser() for each in named]
    return sorted(path for path in Path("~/.ssh").expanduser().glob("id_*") if path.suffix != ".pub")


def _content_of(files: Any) -> bytes:
    """What the files of known hosts hold: those of ~/.ssh/config, else the usual one.

    `UserKnownHostsFile none` trusts nobody, where asyncssh would trust everybody.
    """
    if files is None:
        names: list[str] = []
    else:
        names = list(files) or ["~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"]
    paths = [Path(name).expanduser() for name in names]
    return b"\n".join(path.read_bytes() for path in paths if path.is_file()) + b"\n"
