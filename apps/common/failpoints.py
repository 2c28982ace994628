"""Named points at which a test may end the process, as a power cut would. Without `TRADING_FAILPOINTS` they cost one comparison.

`TRADING_FAILPOINTS=executor.after_sending_stored` ends the process the first time that point is passed;
`name:3` the third time; `name:3=raise` raises `InjectedFault` instead. Several are separated by commas.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

EXIT_CODE = 86
"""Exit status of a process that a failpoint has ended."""


class InjectedFault(RuntimeError):
    """Raised by a failpoint that was told to raise."""


@dataclass
class _Armed:
    hits_left: int
    action: str


def _parse(text: str) -> dict[str, _Armed]:
    armed: dict[str, _Armed] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        target, _, action = item.partition("=")
        name, _, count = target.partition(":")
        armed[name] = _Armed(hits_left=int(count or 1), action=action or "exit")
    return armed


_armed = _parse(os.environ.get("TRADING_FAILPOINTS", ""))


def arm_failpoints(text: str) -> None:
    """Replace what is armed in this process; an empty text disarms."""
    _armed.clear()
    _armed.update(_parse(text))


def failpoint(name: str) -> None:
    """Pass the point `name`: nothing, unless it is armed and this is the hit that counts."""
    if not _armed:
        return
    point = _armed.get(name)
    if point is None:
        return
    point.hits_left -= 1
    if point.hits_left:
        return
    if point.action == "raise":
        raise InjectedFault(f"Failpoint {name}.")
    os._exit(EXIT_CODE)
