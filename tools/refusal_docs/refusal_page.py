"""Writes docs/refusals.md: what each refusal code means, why, and the cure.

usage: python tools/refusal_docs/refusal_page.py
"""

from pathlib import Path

from mobile_bnn.converters.explanations import LAYERS, RULES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "refusals.md"

INTRODUCTION = """# Refusal codes

Written by `tools/refusal_docs/refusal_page.py` from `converters/explanations.py`.

`mbnn lint --json` gives each reason a code beside its text. Texts may be reworded, codes stay.
`mbnn lint --explain CODE` prints what stands here; `mbnn lint MODEL --trace LAYER` lists every rule that did not apply
near a layer, with its code.
"""


def page() -> str:
    """The Markdown page."""
    parts = [INTRODUCTION]
    for title, table in (("Why a layer stays float", LAYERS), ("Why a rule does not apply", RULES)):
        parts.append(f"## {title}\n\n| code | what was found | why | cure |\n|---|---|---|---|")
        for code, told in table.items():
            parts.append(f"| `{code.value}` | {told.meaning} | {told.why} | {told.cure.format(layer='LAYER')} |")
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
