"""The `mbnn` command: puts the sub-commands together."""

from typing import Annotated

import typer

from mobile_bnn import __version__
from mobile_bnn.cli import (
    convert,
    demo,
    doctor,
    export_weights,
    inspect,
    lint,
    methods,
    profile,
    report,
    train,
    verify,
    zoo,
)
from mobile_bnn.cli.console import out, reported

app = typer.Typer(
    name="mbnn",
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


for _module in (demo, train, lint, convert, verify, inspect, export_weights, profile, report, doctor):
    app.command(_module.__name__.rpartition(".")[2].replace("_", "-"), epilog=_module.EXAMPLE)(
        reported(_module.command)
    )
for _module, _help in ((zoo, "The model architectures."), (methods, "The binarization methods.")):
    _group = typer.Typer(help=_help, no_args_is_help=True, epilog=_module.EXAMPLE)
    _group.command("list", epilog=_module.EXAMPLE)(reported(_module.list_command))
    _group.command("show", epilog=_module.EXAMPLE)(reported(_module.show_command))
    app.add_typer(_group, name=_module.__name__.rpartition(".")[2])


def main() -> None:
    """The console script."""
    app()


if __name__ == "__main__":
    main()
