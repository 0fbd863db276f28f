"""Write the parts of the documentation that come from the code: tables, help, public names and the JSON schemas.

    python docs/generate.py            writes the files that are out of date
    python docs/generate.py --check    writes nothing, lists the files that are out of date and exits 1

In a page, a generated region begins with `<!-- begin generated: NAME -->` and ends with `<!-- end generated -->`; the
text around it is written by hand. The files of schemas/ and the machines of today are generated as a whole.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

from pages import answers, api, coefficients, command, figures, formats, kubernetes, load, reliability, versions

import etcdsize
from etcdsize.catalog.loading import BUILT_IN as CATALOGS
from etcdsize.fitting.today import STORED, fit_today
from etcdsize.tiers import BUILT_IN as TIERS

DOCS = Path(__file__).resolve().parent
REGION = re.compile(r"(<!-- begin generated: ([^\n]+?) -->\n)(.*?)(<!-- end generated -->)", re.DOTALL)

# The regions of a single name, such as `errata`.
REGIONS: dict[str, Callable[[], str]] = {
    "coefficients": coefficients.coefficients_table,
    "columns": command.columns,
    "constants": api.constants,
    "error-codes": answers.error_codes,
    "errata": figures.errata_table,
    "errors": api.errors,
    "flags": versions.flags_table,
    "flaws": versions.flaws_table,
    "foreign": formats.foreign_table,
    "functions": api.functions,
    "fuzzing": reliability.fuzzing,
    "gates": versions.gates_table,
    "kills": reliability.kills,
    "mutants": reliability.mutation,
    "kubernetes-figures": kubernetes.figures_table,
    "kubernetes-kinds": kubernetes.kinds_table,
    "kubernetes-writes": kubernetes.writes_table,
    "load-defaults": load.defaults,
    "latencies": figures.latencies_table,
    "models": api.models,
    "needs": figures.needs_table,
    "schemas": answers.schemas_table,
    "structures": api.structures,
    "terraform": command.terraform_table,
    "terraform-answer": command.terraform_answer_table,
    "versions": versions.versions_table,
}
# The regions of a kind and a name, such as `tiers guide`.
NAMED_REGIONS: dict[str, Callable[[str], str]] = {
    "catalog": figures.catalog_table,
    "disks": figures.disk_table,
    "help": command.help_text,
    "tiers": figures.tier_table,
}


def region(name: str) -> str:
    """Return the text of a region."""
    kind, _, rest = name.partition(" ")
    return NAMED_REGIONS[kind](rest) if rest else REGIONS[kind]()


def expected_regions() -> set[str]:
    """Return the regions that some page must have, so that nothing new remains undocumented."""
    return {
        *REGIONS,
        *(f"tiers {name}" for name in TIERS),
        *(f"catalog {name}" for name in CATALOGS),
        *(f"disks {name}" for name in CATALOGS if etcdsize.load_catalog(name).disk_kinds),
        *(f"help {name}" for name in command.command_names()),
    }


def generated() -> dict[Path, str]:
    """Return the expected text of every generated file."""
    files = {DOCS / "schemas" / f"{name}.json": text for name, text in answers.schemas().items()}
    files[STORED] = json.dumps(fit_today(etcdsize.load_tiers("guide")), indent=1) + "\n"
    seen: set[str] = set()
    for path in sorted([*DOCS.glob("*.md"), *DOCS.glob("cli/*.md")]):
        text = path.read_text(encoding="utf-8")
        seen.update(match[2] for match in REGION.finditer(text))
        if REGION.search(text):
            files[path] = REGION.sub(lambda match: f"{match[1]}\n{region(match[2])}\n\n{match[4]}", text)
    missing = expected_regions() - seen
    if missing:
        raise SystemExit(f"no page has a region for: {', '.join(sorted(missing))}")
    return files


def main(arguments: list[str] | None = None) -> int:
    """Write or check the generated files, and return the exit code."""
    parser = argparse.ArgumentParser(description="Write the parts of the documentation that come from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is out of date")
    check = parser.parse_args(arguments).check
    stale = 0
    for path, text in generated().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale += 1
            name = path.relative_to(DOCS if path.is_relative_to(DOCS) else DOCS.parent)
            print(f"{name}: {'out of date; run python docs/generate.py' if check else 'written'}")
            if not check:
                path.write_text(text, encoding="utf-8")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
