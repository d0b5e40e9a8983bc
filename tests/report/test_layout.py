"""Tables in terminals of any width: side by side where they fit, else in blocks; in any encoding."""

from io import StringIO

import pytest
from rich.console import Console

from mobile_bnn.report.layout import Column, Fitted, Table

TABLE = Table(
    "Latencies",
    [Column("engine"), Column("median (ms)", number=True), Column("layer", unbroken=5), Column("memory", number=True)],
    [
        ["delegate · avx2", "0.00449", "a_very_long_name/of_a_layer", "68.9 MB"],
        ["lce", "12,345.67", "[red]x", "1.00 GB"],
    ],
    ["total", "12,345.67", "", "1.07 GB"],
)


def shown(width: int, table: Table = TABLE, encoding: str = "utf-8", **options: object) -> str:
    """As a terminal shows it, without the blanks at the ends of lines."""

    class File(StringIO):
        pass

    file = File()
    File.encoding = encoding  # type: ignore[assignment]
    console = Console(file=file, width=width, markup=False, emoji=False, highlight=False)
    console.print(Fitted(table, **options))  # type: ignore[arg-type]
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def test_side_by_side() -> None:
    assert shown(100) == (
        "Latencies\n"
        "\n"
        "                    median\n"
        " engine               (ms) layer                        memory\n"
        " ─────────────────────────────────────────────────────────────\n"
        " delegate · avx2   0.00449 a_very_long_name/of_a_layer 68.9 MB\n"
        " lce             12,345.67 [red]x                      1.00 GB\n"
        "\n"
        " total           12,345.67                             1.07 GB\n"
    )


def test_names_give_way_before_numbers() -> None:
    text = shown(44)
    assert " delegate ·     0.00449 a_very_long 68.9 MB\n avx2                   _name/of_a_\n" in text
    assert " total        12,345.67             1.07 GB\n" in text


def test_blocks_where_the_columns_do_not_fit() -> None:
    assert shown(28) == (
        "Latencies\n"
        "\n"
        "engine: delegate · avx2\n"
        "median (ms): 0.00449\n"
        "layer:\n"
        "a_very_long_name/of_a_layer\n"
        "memory: 68.9 MB\n"
        "\n"
        "engine: lce\n"
        "median (ms): 12,345.67\n"
        "layer: [red]x\n"
        "memory: 1.00 GB\n"
        "\n"
        "engine: total\n"
        "median (ms): 12,345.67\n"
        "memory: 1.07 GB"
    )


@pytest.mark.parametrize("width", range(12, 110))
def test_at_no_width_a_number_is_cut_or_a_line_too_long(width: int) -> None:
    text = shown(width)
    words = text.split()
    for cell in ("0.00449", "12,345.67", "68.9", "1.00", "1.07"):
        assert cell in words
    assert text.count("12,345.67") == 2
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text


def test_two_columns_are_pairs_in_blocks() -> None:
    pairs = Table("The machine", [Column("fact"), Column("value")], [["CPU", "AMD EPYC 9B14"], ["Memory", "8.20 GB"]])
    assert shown(10, pairs) == "The\nmachine\nCPU: AMD\nEPYC 9B14\nMemory:\n8.20 GB"


def test_ascii_has_a_line_of_its_own_and_no_borders() -> None:
    text = shown(100, encoding="ascii")
    assert "│" not in text
    assert " -------------------------------------------------------------\n" in text
    assert len(text.splitlines()) == len(shown(100).splitlines())


def test_wide_letters_count_twice() -> None:
    table = Table("", [Column("layer"), Column("bytes", number=True)], [["畳み込み層", "1,234"]])
    assert shown(18, table).splitlines()[-1] == " 畳み込み層 1,234"
    assert "層: 1,234" in shown(17, table)


def test_no_rows() -> None:
    assert shown(40, Table("None", [Column("layer"), Column("bytes", number=True)], [])).startswith("None\n")
    assert shown(3, Table("None", [Column("layer"), Column("bytes", number=True)], [])) == "Non\ne"
