"""Every indicator's definition, by kind; importing this package fills the registry."""

from apps.markets.domain.indicators.definitions import averages as averages
from apps.markets.domain.indicators.definitions import candles as candles
from apps.markets.domain.indicators.definitions import channels as channels
from apps.markets.domain.indicators.definitions import comparisons as comparisons
from apps.markets.domain.indicators.definitions import cycles as cycles
from apps.markets.domain.indicators.definitions import oscillators as oscillators
from apps.markets.domain.indicators.definitions import ranges as ranges
from apps.markets.domain.indicators.definitions import trend as trend
from apps.markets.domain.indicators.definitions import volatility as volatility
from apps.markets.domain.indicators.definitions import volume as volume
