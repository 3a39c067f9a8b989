"""
Run the benchmark: `python -m bench [--quick] [--json FILE]`.

Exits with 0 whatever the figures are, and with a traceback where something failed to run.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from bench.report import as_json, as_text
from bench.run import Plan, run

QUICK = Plan(rounds=2, seconds=0.3, starts=2)  # about 30 s
FULL = Plan(rounds=5, seconds=1.0, starts=5)  # about 3 minutes


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="30 seconds instead of 3 minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    options = parser.parse_args()
    findings = run(QUICK if options.quick else FULL)
    print(as_text(findings))
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(findings), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
