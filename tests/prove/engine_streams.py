"""Random streams of orders and events through the compiled kernels and the oracle, in a process of its own.

TRADING_COMPILE_KERNELS=1 python -m tests.prove.engine_streams stepping|skipping SEED COUNT
"""

from __future__ import annotations

import json
import sys

from apps.core.kernel import is_compiling
from tests.unit.backtests.streams import Plan, expected_names, run_streams


def main(arguments: list[str]) -> None:
    form, seed, count = arguments[0], int(arguments[1]), int(arguments[2])
    result = run_streams(seed, count, Plan(is_skipping=form == "skipping"))
    found = {
        "compiled": is_compiling(),
        "streams": result.streams,
        "fills": result.fills,
        "skipped": result.skipped,
        "differences": result.differences[:10],
        "different": len(result.differences),
        "met": len(expected_names()) - len(result.never_occurred()),
        "to_meet": len(expected_names()),
        "missing": result.never_occurred(),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
