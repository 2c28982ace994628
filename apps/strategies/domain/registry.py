"""Strategies by the name that rows, configurations and the command line use; one registry for each way to write them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol, TypeVar

from apps.core.errors import InvalidInput, NotFound


class Registrable(Protocol):
    """What registering gives a class."""

    kind: ClassVar[str]
    title: ClassVar[str]


T = TypeVar("T", bound=Registrable)
S = TypeVar("S", bound=type[Any])


class StrategyRegistry(dict[str, type[T]]):
    """Classes by kind. `word` is what one is called in errors, `where` the field that names it."""

    def __init__(self, word: str, words: str, *, where: str) -> None:
        super().__init__()
        self._word, self._words, self._where = word, words, where

    def register(self, kind: str, *, title: str) -> Callable[[S], S]:
        """A class decorator. Registering the same class again is nothing; another one of the same kind raises InvalidInput."""

        def take(cls: S) -> S:
            known = self.get(kind)
            if known is not None and known.__qualname__ != cls.__qualname__:
                raise InvalidInput(f"Two {self._words} are called {kind!r}: {known.__qualname__} and {cls.__qualname__}.")
            cls.kind, cls.title = kind, title
            self[kind] = cls
            return cls

        return take

    def named(self, kind: str) -> type[T]:
        """The class registered as `kind`; raises NotFound."""
        if kind not in self:
            known = ", ".join(sorted(self)) or "none"
            raise NotFound(f"There is no {self._word} {kind!r}.", where=self._where, hint=f"Known: {known}.")
        return self[kind]

    def titles(self) -> dict[str, str]:
        """Kind to title, sorted."""
        return {kind: self[kind].title for kind in sorted(self)}
