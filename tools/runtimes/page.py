"""The part of docs/runtimes.md that is generated: its table, between two markers."""

BEGIN, END = "<!-- make runtimes: begin -->", "<!-- make runtimes: end -->"


def with_table(page: str, table: str) -> str:
    """The page with another table between its markers."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table.strip()}\n\n{END}{after}"
