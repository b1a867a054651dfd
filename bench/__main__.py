"""`python -m bench [name ...]`: what friendpay does in a second, each line beside its limit or its peer in one run.

python -m bench                    every line of the table
python -m bench read hot --quick   two of them, in short rounds: to try something
python -m bench --report           every line, and bench/RESULTS.md with its pictures
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from friendpay.demo import bootstrap

REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "requirements-bench.txt")


def main() -> int:
    """0 when every line that was asked for reached its floor."""
    if not bootstrap.ready(*REQUIREMENTS):
        bootstrap.install(*REQUIREMENTS)
    from bench.speed import run, table

    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(table.NAMED)}; without one, all")
    parser.add_argument("--quick", action="store_true", help="short rounds, to try something")
    parser.add_argument("--report", action="store_true", help="write bench/RESULTS.md")
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(table.NAMED):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    return run.run(chosen.names or list(table.NAMED), quick=chosen.quick, report=chosen.report)


if __name__ == "__main__":
    sys.exit(main())
