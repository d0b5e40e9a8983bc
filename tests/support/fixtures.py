"""Files that earlier versions of mobile_bnn wrote."""

from pathlib import Path

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
