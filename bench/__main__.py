"""`python -m bench [name ...]`: what friendpay does in a second, each line beside its limit or its peer in one run.

python -m bench                    every line of the table
python -m bench read hot --quick   two of them, in short rounds: to try something
python -m bench --report           every line, and bench/RESULTS.md with its pictures; lines that this commit has
                                   measured already are not measured again, so that it can be done in slices:
                                   python -m bench read hot --report, python -m bench create pay --report, ...
python -m bench record_day         45 asks a second for ten minutes, while processes are killed
python -m bench crowd              5,000 sockets, 200 changes a second, 100,000 requests that expire
"""

import argparse
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from friendpay.demo import bootstrap

REQUIREMENTS = ("requirements.txt", "requirements-dev.txt", "requirements-bench.txt")


def main() -> int:
    """0 when every line that was asked for reached its floor."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))  # and whatever was started ends with it
    if not bootstrap.ready(*REQUIREMENTS):
        bootstrap.install(*REQUIREMENTS)
    from bench.speed import crowd, record_day, run, table, world

    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(table.NAMED)}; without one, all")
    parser.add_argument("--quick", action="store_true", help="short rounds, to try something")
    parser.add_argument("--report", action="store_true", help="write bench/RESULTS.md")
    parser.add_argument("--minutes", type=float, default=10, help="of record_day (default: 10)")
    parser.add_argument("--seed", type=int, default=1, help="of record_day: what chance begins with (default: 1)")
    chosen = parser.parse_args()
    if chosen.names == ["record_day"]:
        return record_day.main(chosen.minutes, chosen.seed)
    if chosen.names == ["crowd"]:
        with world.running(quick=chosen.quick) as here:
            return crowd.main(here)
    if unknown := set(chosen.names) - set(table.NAMED):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    return run.run(chosen.names or list(table.NAMED), quick=chosen.quick, report=chosen.report)


if __name__ == "__main__":
    sys.exit(main())
