"""Where the repository and its examples are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
DOCS = ROOT / "docs"
OBSERVED = DOCS / "examples" / "observed"
SUPPORT = ROOT / "tests" / "support"
