"""The form of a backtest or a sweep: what was typed, read field by field, so that every complaint stands beside the field that it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from uuid import UUID

from django.http import QueryDict

from apps.backtests.contracts import RunConfig, RunMode, ScoreMode, StrategyChoice, SweepMethod, config_from_json
from apps.backtests.domain.config import FillTiming, Profile, SizingMethod
from apps.backtests.domain.robustness import Crises, Reruns, Robustness
from apps.backtests.domain.stress_text import scenarios_of_lines
from apps.backtests.services import fastest_mode
from apps.core.errors import InvalidInput, TradingError
from apps.core.values import InstrumentSpec
from apps.core.vocabulary import Timeframe
from apps.dashboard.domain.search_text import SearchText, read_values
from apps.dashboard.web.query import date_of, decimal_of, integer_of, word_of
from apps.strategies.domain.parameters import ParameterSpec

T = TypeVar("T")

_PPM_PER_BP = 100
_MILLION = 1_000_000
_COSTS = {"fee_bps": ("fee_maker_ppm", "fee_taker_ppm"), "slippage_bps": ("slippage_ppm",), "half_spread_bps": ("half_spread_ppm",)}
_PLACES = {
    "instrument_ids": "instrument", "start": "start", "end": "end", "capital": "capital", "currency": "rates", "rates": "rates", "leverage": "leverage",
    "seed": "seed", "sizing": "sizing", "sizing.amount": "amount", "timing": "timing", "timeframe": "timeframe", "mode": "mode",
    "costs.fee_taker_ppm": "fee_bps", "costs.fee_maker_ppm": "fee_bps", "costs.slippage_ppm": "slippage_bps",
    "costs.half_spread_ppm": "half_spread_bps", "costs.volume_share_ppm": "volume_share", "walk_forward.train_bars": "train_bars",
    "walk_forward.test_bars": "test_bars", "budget": "budget", "objective": "objective", "strategy": "strategy",
    "robustness.scenarios": "stress", "robustness.reruns.count": "reruns", "robustness.reruns.latest_start": "latest_start",
    "robustness.reruns.lowest_costs": "lowest_costs", "robustness.reruns.highest_costs": "highest_costs",
}  # fmt: skip


@dataclass(frozen=True)
class Typed:
    """A field of the form: what was typed, or its default, and what is wrong with it."""

    name: str
    value: str
    error: str = ""


@dataclass(frozen=True)
class ParameterField:
    """A parameter with its own field, and the field of the values that are searched over."""

    spec: ParameterSpec
    fixed: Typed
    search: Typed

    @property
    def is_flag(self) -> bool:
        return self.spec.kind is bool

    @property
    def is_checked(self) -> bool:
        return self.fixed.value == "yes"

    @property
    def step(self) -> str:
        return "1" if self.spec.kind is int else "any"


@dataclass
class RunForm:
    """Reads a form. After `config()`, `errors` has a sentence by name of field; the empty name is for what belongs to none."""

    choice: StrategyChoice
    instruments: Sequence[InstrumentSpec]
    data: QueryDict | None
    defaults: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)

    def typed(self, name: str) -> Typed:
        """What a field shows."""
        value = self.defaults.get(name, "") if self.data is None else self.data.get(name, "")
        return Typed(name, value, self.errors.get(name, ""))

    @property
    def fields(self) -> dict[str, Typed]:
        """Every plain field by name, for the template."""
        return {name: self.typed(name) for name in FIELDS}

    @property
    def chosen_instruments(self) -> list[str]:
        """Ids of the instruments that are ticked."""
        return self.defaults.get("instrument", "").split() if self.data is None else self.data.getlist("instrument")

    @property
    def parameters(self) -> list[ParameterField]:
        """The strategy's parameters with their fields."""
        return [ParameterField(spec, self._parameter(spec), self.typed(f"search.{spec.name}")) for spec in self.choice.parameters]

    def config(self) -> RunConfig | None:
        """The configuration, or None with the reasons in `errors`."""
        payload = {
            "strategy": self.choice.kind,
            "parameters": {spec.name: self._value(spec) for spec in self.choice.parameters},
            "instrument_ids": [str(item) for item in self._read("instrument", self._instruments, list[UUID]())],
            "timeframe": self._word("timeframe", Timeframe, Timeframe.D1),
            "start": self._read("start", lambda data: date_of(data, "start"), None),
            "end": self._read("end", lambda data: date_of(data, "end"), None),
            "capital": self._number("capital") or Decimal(0),
            "currency": self._currency(),
            "rates": self._read("rates", _rates, dict[str, Decimal]()),
            "compares_alone": self._is_ticked("compares_alone"),
            "profile": self._word("profile", Profile, Profile.DEFAULT),
            "costs": self._costs(),
            "sizing": {"method": self._word("sizing", SizingMethod, SizingMethod.ALL), "amount": self._number("amount")},
            "timing": self._word("timing", FillTiming, FillTiming.NEXT_OPEN),
            "allows_short": self._is_ticked("allows_short"),
            "leverage": Decimal(1) if (leverage := self._number("leverage")) is None else leverage,
            "seed": self._whole("seed") or 0,
            "score": self._word("score", ScoreMode, ScoreMode.WALK_FORWARD),
            "walk_forward": self._walk_forward(),
            "robustness": self._robustness(),
        }
        mode = self._read("mode", lambda data: word_of(data, "mode", RunMode), None)
        if self.errors:
            return None
        config = self.tried(lambda: config_from_json(payload if mode is None else payload | {"mode": mode}))
        return config if config is None or mode is not None else fastest_mode(config)

    def space(self) -> dict[str, Any]:
        """What a sweep searches over, by parameter."""
        texts = {spec.name: self._searched(spec) for spec in self.choice.parameters}
        found = {name: text.as_dimension() for name, text in texts.items() if text is not None}
        if not found and not self.errors:
            self.errors[""] = "Nothing is searched over: give at least one parameter several values, such as 5, 10, 20 or 5 to 50."
        return found

    def search_options(self) -> dict[str, Any]:
        """How a sweep searches."""
        return {
            "method": self._word("method", SweepMethod, SweepMethod.GRID),
            "objective": self.typed("objective").value,
            "budget": self._whole("budget") or 0,
            "seed": self._whole("search_seed") or 0,
        }

    def tried(self, attempt: Callable[[], T]) -> T | None:
        """The result; None with the refusal beside its field."""
        try:
            return attempt()
        except TradingError as error:
            self.refuse(error)
            return None

    def refuse(self, error: TradingError) -> None:
        """Put a refusal beside the field that it is about."""
        where = error.where.removeprefix("walk_forward.search.")
        spec = next((item for item in self.choice.parameters if item.name == where), None)
        if spec is None:
            name = _PLACES.get(error.where, "")
        else:
            name = f"search.{where}" if self.typed(f"search.{where}").value and _is_within(spec, self._value(spec)) else f"p.{where}"
        self.errors.setdefault(name, f"{error.message} {error.hint}".strip())

    def _parameter(self, spec: ParameterSpec) -> Typed:
        name = f"p.{spec.name}"
        default = ("yes" if spec.default else "") if spec.kind is bool else f"{spec.default:g}" if spec.default is not None else ""
        value = self.defaults.get(name, default) if self.data is None else self.data.get(name, "")
        return Typed(name, value, self.errors.get(name, ""))

    def _value(self, spec: ParameterSpec) -> bool | int | float:
        """A parameter as typed; bounds are the strategy's to check."""
        if spec.kind is bool:
            return self._is_ticked(f"p.{spec.name}")
        number = self._number(f"p.{spec.name}", label=spec.name)
        if number is None:
            self.errors.setdefault(f"p.{spec.name}", "A value is missing.")
            return 0
        return int(number) if number == int(number) else float(number)

    def _instruments(self, data: QueryDict) -> list[UUID]:
        known = {str(spec.id): spec.id for spec in self.instruments}
        chosen = [item for item in data.getlist("instrument") if item]
        if not chosen:
            raise InvalidInput("Choose at least one instrument.", where="instrument")
        if unknown := [item for item in chosen if item not in known]:
            raise InvalidInput(f"There is no instrument {unknown[0][:40]!r} at this market.", where="instrument")
        return [known[item] for item in chosen]

    def _currency(self) -> str:
        chosen = set(self.chosen_instruments)
        return next((spec.quote_asset for spec in self.instruments if str(spec.id) in chosen), "USD")

    def _costs(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for name, targets in _COSTS.items():
            if (rate := self._number(name)) is not None:
                found |= dict.fromkeys(targets, self._ppm(name, rate * _PPM_PER_BP))
        if (share := self._number("volume_share")) is not None:
            found["volume_share_ppm"] = self._ppm("volume_share", share * 10_000)
        return found

    def _ppm(self, name: str, ppm: Decimal) -> int:
        if not 0 <= ppm <= _MILLION:
            self.errors.setdefault(name, f"It must be from 0 to {'100 %' if name == 'volume_share' else '10,000 bps'}.")
        elif ppm != int(ppm):
            self.errors.setdefault(name, "That is finer than a millionth.")
        return int(ppm)

    def _walk_forward(self) -> dict[str, Any]:
        search = {} if self.data is None or "method" in self.data else {spec.name: self._searched(spec) for spec in self.choice.parameters}
        return {
            "train_bars": self._whole("train_bars"),
            "test_bars": self._whole("test_bars"),
            "is_anchored": self._is_ticked("is_anchored"),
            "search": {name: list(text.listed()) for name, text in search.items() if text is not None},
        }

    def _robustness(self) -> Robustness:
        start = self._number("latest_start")
        lowest, highest = self._number("lowest_costs"), self._number("highest_costs")
        asked = Reruns(count=self._whole("reruns") or 0)
        return Robustness(
            crises=self._word("crises", Crises, Crises.AUTO),
            scenarios=self._read("stress", lambda data: scenarios_of_lines(data.get("stress", "")), ()),
            reruns=Reruns(
                count=asked.count,
                latest_start=asked.latest_start if start is None else start / 100,
                lowest_costs=asked.lowest_costs if lowest is None else lowest,
                highest_costs=asked.highest_costs if highest is None else highest,
            ),
        )

    def _searched(self, spec: ParameterSpec) -> SearchText | None:
        name = f"search.{spec.name}"
        text = self.typed(name).value.strip()
        return self._read(name, lambda _: read_values(text, spec), None) if text else None

    def _number(self, name: str, *, label: str = "") -> Decimal | None:
        return self._read(name, lambda data: decimal_of(_renamed(data, name, label), label or name), None)

    def _whole(self, name: str) -> int | None:
        return self._read(name, lambda data: integer_of(data, name), None)

    def _word(self, name: str, kind: Any, default: Any) -> Any:
        return self._read(name, lambda data: word_of(data, name, kind) or default, default)

    def _is_ticked(self, name: str) -> bool:
        return self.data is not None and self.data.get(name) == "yes"

    def _read(self, name: str, read: Callable[[QueryDict], T], otherwise: T) -> T:
        """What `read` finds; what it refuses is kept as the error of the field."""
        if self.data is None:
            return otherwise
        try:
            return read(self.data)
        except InvalidInput as error:
            self.errors.setdefault(name, f"{error.message} {error.hint}".strip())
            return otherwise


FIELDS = (
    "timeframe", "start", "end", "capital", "profile", "fee_bps", "slippage_bps", "half_spread_bps", "volume_share", "sizing", "amount",
    "timing", "allows_short", "leverage", "seed", "score", "train_bars", "test_bars", "is_anchored", "mode", "method", "objective", "budget",
    "search_seed", "instrument", "strategy", "rates", "compares_alone", "crises", "stress", "reruns", "latest_start", "lowest_costs", "highest_costs",
)  # fmt: skip


def _is_within(spec: ParameterSpec, value: float) -> bool:
    """Whether a parameter's own bounds allow the value."""
    return (spec.minimum is None or value >= spec.minimum) and (spec.maximum is None or value <= spec.maximum)


def _rates(data: QueryDict) -> dict[str, Decimal]:
    """Prices of currencies, written as EUR=1.08, GBP=1.27."""
    found: dict[str, Decimal] = {}
    for item in filter(None, (part.strip() for part in data.get("rates", "").split(","))):
        currency, equals, rate = (text.strip() for text in item.partition("="))
        try:
            found[currency] = Decimal(rate)
        except InvalidOperation:
            equals = ""
        if not equals or not currency:
            raise InvalidInput(f"{item[:40]!r} is no price of a currency.", where="rates", hint="Write EUR=1.08, GBP=1.27.")
    return found


def _renamed(data: QueryDict, name: str, label: str) -> QueryDict:
    """The same form with a field under the name that a refusal should speak of."""
    if not label or label == name:
        return data
    copy = data.copy()
    copy[label] = data.get(name, "")
    return copy
