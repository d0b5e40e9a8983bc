"""The sub-commands of `mbnn`, put together."""

from collections.abc import Callable
from typing import Annotated

import typer

from mobile_bnn import __version__
from mobile_bnn.cli import (
    compare,
    convert,
    demo,
    deploy,
    devices,
    doctor,
    export_profile,
    export_weights,
    import_weights,
    inspect,
    lint,
    methods,
    predict,
    profile,
    report,
    reproduce,
    streams,
    train,
    verify,
    zoo_baseline,
    zoo_list,
    zoo_load,
    zoo_show,
)
from mobile_bnn.cli.console import out, print_error, reported
from mobile_bnn.cli.help import Command, Group
from mobile_bnn.errors import MobileBnnError

app = typer.Typer(
    name="mbnn",
    cls=Group,
    help="Train binary neural networks, convert them to .tflite, and know how fast and how correct they are.",
    epilog="Begin with: mbnn demo",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        out.print(f"mobile_bnn {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass


_COMMANDS = (
    demo,
    train,
    lint,
    convert,
    verify,
    inspect,
    predict,
    export_weights,
    import_weights,
    devices,
    deploy,
    profile,
    compare,
    export_profile,
    report,
    reproduce,
    doctor,
)
for _module in _COMMANDS:
    app.command(_module.__name__.rpartition(".")[2].replace("_", "-"), cls=Command, epilog=_module.EXAMPLE)(
        reported(_module.command)
    )
_GROUPS: dict[str, tuple[str, dict[str, tuple[Callable[..., None], str]]]] = {
    "zoo": (
        "The model architectures.",
        {
            "list": (zoo_list.command, zoo_list.EXAMPLE),
            "show": (zoo_show.command, zoo_show.EXAMPLE),
            "load": (zoo_load.command, zoo_load.EXAMPLE),
            "baseline": (zoo_baseline.command, zoo_baseline.EXAMPLE),
        },
    ),
    "methods": (
        "The binarization methods.",
        {
            "list": (methods.list_command, methods.EXAMPLE),
            "show": (methods.show_command, methods.EXAMPLE),
        },
    ),
}
for _name, (_help, _leaves) in _GROUPS.items():
    _group = typer.Typer(help=_help, cls=Group, no_args_is_help=True, epilog=_leaves["show"][1])
    for _leaf, (_command, _example) in _leaves.items():
        _group.command(_leaf, cls=Command, epilog=_example)(reported(_command))
    app.add_typer(_group, name=_name)


def run() -> int:
    """Runs what this process was called with, and returns its exit code."""
    code: object = 0
    try:
        app()
    except SystemExit as end:
        code = end.code
    if failure := streams.output_failure():
        print_error(f"standard output cannot be written: {failure.strerror}")
        code = code or MobileBnnError.exit_code
    return code if isinstance(code, int) else 0
