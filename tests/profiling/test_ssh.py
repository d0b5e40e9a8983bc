"""Targets over ssh, by this machine's own sshd: who is trusted, who is let in, and what ends a measurement early."""

import getpass
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import psutil
import pytest

from mobile_bnn.errors import MobileBnnError, UsageError
from mobile_bnn.profiling.deployment.check import signs_model
from mobile_bnn.profiling.messages import Request
from mobile_bnn.profiling.targets import EngineCrashError, TargetLostError, connect, ssh, ssh_errors
from mobile_bnn.profiling.targets.ssh import Ssh
from mobile_bnn.profiling.targets.ssh_address import SshAddress
from mobile_bnn.profiling.targets.ssh_keeper import Ended
from tests.support.packages import need
from tests.support.ssh_server import HOST, Client, LocalServer, fingerprint, free_port, local_server, make_key

USER = getpass.getuser()


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Who connects: this process, with a home folder of its own and no agent."""
    client = Client(tmp_path / "client")
    monkeypatch.setenv("HOME", str(client.home))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    return client


@pytest.fixture
def server(client: Client, tmp_path: Path) -> Iterator[LocalServer]:
    """A machine that lets the client in."""
    program = need("openssh-server", "there is no sshd to connect to")
    with local_server(tmp_path / "server", program, client.public_key) as server:
        yield server


@pytest.fixture
def url(server: LocalServer, client: Client) -> str:
    """Its address; the client trusts it."""
    client.trust(server.host_key, server.port)
    return address(server)


@pytest.fixture
def deployed(server: LocalServer, url: str) -> str:
    """Its address, where this very environment is laid as a deployment lays one."""
    folder = server.home / ".local/share/mobile_bnn"
    folder.mkdir(parents=True)
    (folder / "current").symlink_to(sys.prefix)
    return url


@pytest.fixture
def target(deployed: str) -> Iterator[Ssh]:
    target = Ssh(deployed)
    yield target
    target.close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "signs.tflite"
    path.write_bytes(signs_model())
    return path


def address(server: LocalServer) -> str:
    return f"ssh://{USER}@{HOST}:{server.port}"


def refusal(url: str) -> str:
    with pytest.raises(MobileBnnError) as caught:
        connect(url)
    return str(caught.value)


def request(path: str, **changes: object) -> Request:
    fields = {"engine": "delegate", "kernel": "auto", "path": path, "threads": 1, "runs": 3, "warmup": 1}
    return Request.model_validate(fields | {"max_seconds": 5, "operators": False} | changes)


def endless(path: str) -> Request:
    return request(path, runs=10**9, max_seconds=600)


def workers() -> list[psutil.Process]:
    """What measures for the keepers that sshd started here."""
    found = []
    for process in psutil.process_iter():
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if "mobile_bnn.profiling.worker" in line and process.status() != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


def mine(server: LocalServer) -> list[psutil.Process]:
    """The workers of this server: others may run beside."""
    folder = str(server.home)
    return [each for each in workers() if any(part.startswith(folder) for part in each.cmdline())]


def wait_for(what: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def while_it_measures(server: LocalServer, then: Callable[[psutil.Process], object]) -> Timer:
    """Starts a thread that does something to the worker, once it is in the midst of it."""

    def act() -> None:
        wait_for(lambda: any(each.num_threads() > 1 or each.cpu_times().user > 1 for each in mine(server)))
        then(mine(server)[0])

    timer = Timer(0, act)
    timer.start()
    return timer


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ssh://", "it names no host"),
        ("ssh://pi@", "it names no host"),
        ("ssh://pi@host:many", "Port could not be cast to integer value as 'many'"),
        ("ssh://pi@host:99999", "Port out of range 0-65535"),
        ("ssh://pi:secret@host", "passwords are not taken, keys are"),
        ("ssh://pi@host/home/pi", "something follows the host"),
        ("ssh", "it names no host"),
    ],
)
def test_addresses_that_are_malformed(url: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        connect(url)
    cure = "Give ssh://user@host, ssh://user@host:port or ssh://NAME with a name of ~/.ssh/config"
    assert str(caught.value) == f"the target {url!r} is malformed: {why}. {cure}"


@pytest.mark.parametrize(
    ("url", "expected", "arguments"),
    [
        ("ssh://MyPi", SshAddress("MyPi"), "MyPi"),
        ("ssh://pi@host:2222", SshAddress("host", "pi", 2222), "-p 2222 pi@host"),
        ("ssh://pi@[fe80::1]:22/", SshAddress("fe80::1", "pi", 22), "-p 22 pi@fe80::1"),
    ],
)
def test_addresses(url: str, expected: SshAddress, arguments: str) -> None:
    assert SshAddress.parse(url) == expected
    assert expected.arguments() == arguments


def test_an_unknown_host_key(server: LocalServer) -> None:
    url = address(server)
    assert refusal(url) == (
        f"the host key of {url} is not known: it shows ssh-ed25519 {fingerprint(server.host_key)}. "
        f"Run `ssh -p {server.port} {USER}@{HOST}` once, compare the fingerprint with the board's own, and answer yes"
    )


def test_a_host_key_that_has_changed(server: LocalServer, client: Client, tmp_path: Path) -> None:
    make_key(tmp_path / "former")
    client.trust(tmp_path / "former.pub", server.port)
    url = address(server)
    assert refusal(url) == (
        f"THE HOST KEY OF {url} HAS CHANGED, and nothing was sent: "
        f"it shows ssh-ed25519 {fingerprint(server.host_key)}, which is not the key in known_hosts: "
        f"another machine may answer in its place. "
        f"Only if the board was installed anew, run `ssh-keygen -R '[{HOST}]:{server.port}'`"
    )


def test_nobody_is_trusted_where_the_settings_name_no_known_hosts(
    server: LocalServer, client: Client, url: str
) -> None:
    (client.ssh / "config").write_text("Host *\n UserKnownHostsFile none\n StrictHostKeyChecking no\n")
    assert refusal(url).startswith(f"the host key of {url} is not known: ")


def test_a_key_that_is_refused(url: str, client: Client, server: LocalServer) -> None:
    make_key(client.ssh / "id_ed25519")
    assert refusal(url) == (
        f"{url} refuses to let {USER} in: it does not take your key. Run `ssh-copy-id -p {server.port} {USER}@{HOST}`"
    )


def test_no_key_at_all(url: str, client: Client, server: LocalServer) -> None:
    (client.ssh / "id_ed25519").unlink()
    assert refusal(url) == (
        f"{url} refuses to let {USER} in: there is no key in ~/.ssh and none in an agent. "
        f"Run `ssh-keygen -t ed25519`, then `ssh-copy-id -p {server.port} {USER}@{HOST}`"
    )


def test_a_key_with_a_passphrase(url: str, client: Client) -> None:
    key = client.ssh / "id_ed25519"
    make_key(key, passphrase="words")
    assert refusal(url) == (
        f"{url} refuses to let {USER} in: {key} asks for a passphrase, and no agent holds the key. Run `ssh-add {key}`"
    )


def test_a_key_of_an_agent(deployed: str, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    told = subprocess.run(["ssh-agent", "-s"], check=True, capture_output=True, text=True).stdout
    settings = dict(re.findall(r"(\w+)=([^;]+);", told))
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", settings["SSH_AUTH_SOCK"])
        key = client.ssh / "id_ed25519"
        subprocess.run(["ssh-add", "-q", key], check=True, capture_output=True)
        key.unlink()
        connect(deployed).close()
    finally:
        os.kill(int(settings["SSH_AGENT_PID"]), signal.SIGTERM)


def test_a_name_of_the_settings(deployed: str, server: LocalServer, client: Client) -> None:
    (client.ssh / "id_ed25519").rename(client.ssh / "board_key")
    (client.ssh / "config").write_text(
        f"Host MyPi\n HostName {HOST}\n Port {server.port}\n User {USER}\n IdentityFile ~/.ssh/board_key\n"
    )
    target = connect("ssh://MyPi")
    assert target.url == "ssh://MyPi"
    target.close()


def test_settings_that_cannot_be_read(url: str, client: Client) -> None:
    (client.ssh / "config").write_text("Host *\n Port many\n")
    message = refusal(f"ssh://{HOST}")
    assert message.startswith(f"the settings for ssh://{HOST} cannot be read: ")
    assert message.endswith("Mend ~/.ssh/config or the key files that it names")


def test_a_board_that_is_switched_off(client: Client) -> None:
    url = f"ssh://pi@{HOST}:{free_port()}"
    with pytest.raises(TargetLostError) as caught:
        connect(url)
    assert str(caught.value) == (
        f"{url} cannot be reached: Connection refused. Look whether it is switched on and its name is right"
    )


def test_something_that_does_not_answer(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_errors, "CONNECT_S", 1)
    with socket.create_server((HOST, 0)) as silent:
        url = f"ssh://pi@{HOST}:{silent.getsockname()[1]}"
        assert refusal(url) == (
            f"{url} cannot be reached: no answer within 1 s. Look whether it is switched on and its name is right"
        )


def test_without_asyncssh(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncssh", None)
    message = refusal("ssh://pi@host")
    assert message.startswith("ssh://pi@host needs AsyncSSH: ")
    assert message.endswith(". Run: pip install 'mobile-bnn[devices]'")


def test_where_nothing_is_deployed(url: str) -> None:
    message = refusal(url)
    assert message.startswith(f"mobile_bnn is not deployed on {url}: ")
    assert message.endswith(f"No such file or directory. Run: mbnn deploy {url}")


def test_a_login_that_talks(deployed: str, server: LocalServer, model: Path) -> None:
    (server.home / ".bashrc").write_text("echo Welcome home\necho mind the step >&2\n")
    target = Ssh(deployed)
    assert target.measure(request(target.stage([model])[model])).figures is not None
    target.close()


def test_a_measurement(target: Ssh, model: Path) -> None:
    described = target.describe()
    assert [each.name for each in described.engines if not each.unavailable] == ["delegate", "lce", "litert"]
    answer = target.measure(request(target.stage([model])[model]))
    assert answer.error is None
    assert answer.figures is not None
    assert len(answer.figures.latencies_ms) == 3


def test_an_error_of_the_engine_comes_back(target: Ssh, tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"TFL3" * 10)
    answer = target.measure(request(target.stage([tmp_path / "broken"])[tmp_path / "broken"]))
    assert answer.figures is None
    assert answer.error is not None


def test_a_file_that_is_not_there(target: Ssh) -> None:
    with pytest.raises(UsageError, match=r"there is no file none\.tflite"):
        target.stage(["none.tflite"])


def test_a_second_session(target: Ssh, deployed: str, model: Path) -> None:
    staged = target.stage([model])
    second = Ssh(deployed)
    with pytest.raises(MobileBnnError) as caught:
        second.measure(request(staged[model]))
    expected = f"another session uses {deployed}: {USER}@{socket.gethostname()}, process {os.getpid()}, since "
    assert str(caught.value).startswith(expected)
    target.close()
    assert second.measure(request(staged[model])).figures is not None, "it may now"
    second.close()


@pytest.mark.parametrize("name", ["SIGSEGV", "SIGKILL"])
def test_a_crash_names_its_signal(target: Ssh, server: LocalServer, model: Path, name: str) -> None:
    staged = target.stage([model])
    killer = while_it_measures(server, lambda worker: worker.send_signal(signal.Signals[name]))
    with pytest.raises(EngineCrashError) as caught:
        target.measure(endless(staged[model]))
    killer.join()
    assert str(caught.value) == (
        f"the engine crashed: its process on {target.url} was ended by {name}. Try another engine or kernel"
    )
    assert target.measure(request(staged[model])).figures is not None, "the session goes on"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"memory_kills": 1},
            "the engine ran out of memory: its process on ssh://pi was ended by SIGKILL, as the system does when "
            "memory runs out; now 700 of 1000 MB are free. Close other programs there, or take a smaller model",
        ),
        (
            {"memory_available": 40 << 20},
            "the engine ran out of memory: its process on ssh://pi was ended by SIGKILL, as the system does when "
            "memory runs out; now 40 of 1000 MB are free. Close other programs there, or take a smaller model",
        ),
        (
            {},
            "the engine crashed: its process on ssh://pi was ended by SIGKILL. Try another engine or kernel",
        ),
        (
            {"returncode": 1, "stderr": b"Traceback\nModuleNotFoundError: No module named 'numpy'\n"},
            "the engine crashed: its process on ssh://pi ended with exit code 1 (ModuleNotFoundError: No module named "
            "'numpy'). Try: mbnn deploy ssh://pi",
        ),
    ],
)
def test_how_a_process_ended(changes: dict[str, Any], message: str) -> None:
    memory = {"memory_kills": 0, "memory_available": 700 << 20, "memory_total": 1000 << 20}
    fields: dict[str, Any] = {"returncode": -9, "stdout": b"", "stderr": b"", **memory}
    assert str(ssh.crash("ssh://pi", Ended(**fields | changes))) == message


def test_a_measurement_that_hangs(
    target: Ssh, server: LocalServer, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "time_limit_s", lambda request: 2.0)
    staged = target.stage([model])
    with pytest.raises(EngineCrashError) as caught:
        target.measure(endless(staged[model]))
    why = f"its process on {target.url} took longer than 2 s and was ended"
    assert str(caught.value) == f"the engine hangs: {why}. Try another engine or kernel"
    wait_for(lambda: not mine(server), 2)


def test_the_server_ends(deployed: str, server: LocalServer, model: Path) -> None:
    target = Ssh(deployed)
    staged = target.stage([model])

    def end(worker: psutil.Process) -> None:
        for process in worker.parents():
            if process.name().startswith("sshd"):
                process.kill()
                return

    ender = while_it_measures(server, end)
    with pytest.raises(TargetLostError) as caught:
        target.measure(endless(staged[model]))
    ender.join()
    why = "the board does not answer any more. Look after the board and its network, and run the command again"
    assert str(caught.value) == f"the connection to {deployed} is lost: {why}"
    wait_for(lambda: not mine(server), 5)
    target.close()


def test_a_keeper_that_is_killed_leaves_nothing_running(deployed: str, server: LocalServer, model: Path) -> None:
    target = Ssh(deployed)
    staged = target.stage([model])
    killer = while_it_measures(server, lambda worker: worker.parent().kill())
    with pytest.raises(TargetLostError):
        target.measure(endless(staged[model]))
    killer.join()
    wait_for(lambda: not mine(server), 5)
    target.close()


def test_a_keeper_that_is_stopped_is_bypassed(
    deployed: str, server: LocalServer, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ssh, "time_limit_s", lambda request: 3.0)
    monkeypatch.setattr("mobile_bnn.profiling.targets.ssh_keeper._END_S", 1)
    target = Ssh(deployed)
    staged = target.stage([model])
    stopper = while_it_measures(server, lambda worker: worker.parent().suspend())
    with pytest.raises(EngineCrashError, match="took longer than 3 s"):
        target.measure(endless(staged[model]))
    stopper.join()
    wait_for(lambda: not mine(server), 5)
    target.close()


def test_ctrl_c_ends_what_runs_there(deployed: str, server: LocalServer, model: Path) -> None:
    program = textwrap.dedent(
        f"""
        from mobile_bnn.profiling.targets import connect
        from tests.profiling.test_ssh import endless
        target = connect({deployed!r})
        try:
            target.measure(endless(target.stage([{str(model)!r}])[__import__("pathlib").Path({str(model)!r})]))
        finally:
            target.close()
        """
    )
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE, start_new_session=True)
    presser = while_it_measures(server, lambda worker: process.send_signal(signal.SIGINT))
    told = process.communicate(timeout=60)[1].decode()
    presser.join()
    assert told.strip().endswith("KeyboardInterrupt"), told
    assert not mine(server)


def test_file_names_are_not_commands(target: Ssh, tmp_path: Path, server: LocalServer) -> None:
    path = tmp_path / "$(touch hacked); 'quoted'.tflite"
    path.write_bytes(signs_model())
    staged = target.stage([path])[path]
    assert Path(staged).read_bytes() == signs_model()
    assert shlex.quote(staged) == staged, "its name there is its hash"
