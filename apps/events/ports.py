"""Handlers: what other apps plug into the bus.

    @handles(OrderExecuted, AlertRaised, name="telegram")
    def tell(envelope: Envelope) -> None: ...

Apps declare them in `handlers.py`, which is imported when Django starts. A handler is given each event of its classes at least once, in the
order of positions within a priority; it runs in a transaction that also moves its mark, so what it writes to PostgreSQL is written exactly
once. What it does outside must be idempotent by `envelope.id`. An error is retried with back-off, then kept as a dead letter.
Handlers of one group share a thread; a slow one deserves a group of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from apps.core.errors import InvalidInput
from apps.core.events import Envelope, Event, Priority

HandlerFunction = Callable[[Envelope], None]
DEFAULT_GROUP = "handlers"
LONGEST_NAME = 60


@dataclass(frozen=True)
class Handler:
    """One registered handler."""

    name: str
    group: str
    function: HandlerFunction
    event_types: frozenset[str]
    lanes: frozenset[Priority]

    def takes(self, event_type: str) -> bool:
        return event_type in self.event_types


@dataclass
class HandlerRegistry:
    """Handlers by name."""

    _handlers: dict[str, Handler] = field(default_factory=dict)

    def register(self, handler: Handler) -> None:
        """Add a handler; a second one of the same name raises InvalidInput."""
        if handler.name in self._handlers:
            raise InvalidInput(f"Two handlers are named {handler.name!r}.", where="handles", hint="Give each its own name.")
        self._handlers[handler.name] = handler

    def all(self) -> list[Handler]:
        return [self._handlers[name] for name in sorted(self._handlers)]

    def get(self, name: str) -> Handler | None:
        return self._handlers.get(name)

    def groups(self) -> list[str]:
        return sorted({handler.group for handler in self._handlers.values()})

    def of_group(self, group: str) -> list[Handler]:
        return [handler for handler in self.all() if handler.group == group]


REGISTRY = HandlerRegistry()


def handles(
    *classes: type[Event],
    name: str,
    group: str = DEFAULT_GROUP,
    registry: HandlerRegistry = REGISTRY,
) -> Callable[[HandlerFunction], HandlerFunction]:
    """Register the function as handler `name` of these event classes. A new handler starts with the events after its first start."""
    if not classes:
        raise InvalidInput(f"The handler {name!r} takes no event class.", where="handles")
    if not name or len(name) > LONGEST_NAME or ":" in name:
        raise InvalidInput(f"A handler's name has 1 to {LONGEST_NAME} characters and no colon, got {name!r}.", where="handles")

    def register(function: HandlerFunction) -> HandlerFunction:
        types = frozenset(cls.event_type for cls in classes)
        lanes = frozenset(cls.priority for cls in classes)
        registry.register(Handler(name=name, group=group, function=function, event_types=types, lanes=lanes))
        return function

    return register
