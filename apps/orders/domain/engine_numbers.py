"""The enums of `engine_codes` as the plain numbers that kernels compare with. A value added to an enum must be named here too, or the import fails."""

from __future__ import annotations

from apps.orders.domain.engine_codes import (
    EngineOrderState,
    EngineOrderType,
    EngineTimeInForce,
    LimitGap,
    LimitRule,
    RangeOrder,
    Reason,
    SlippageModel,
    StepStatus,
    StopGap,
    TrailRule,
)

MARKET, LIMIT, STOP, STOP_LIMIT, TRAILING, MARKET_ON_OPEN, MARKET_ON_CLOSE = map(int, EngineOrderType)
GTC, DAY, GTD, IOC, FOK = map(int, EngineTimeInForce)
WAITING, OPEN, FILLED, CANCELLED, EXPIRED, REFUSED = map(int, EngineOrderState)
OK, BOOK_FULL, OVERFLOW, BAD_EVENT = map(int, StepStatus)
SLIPPAGE_NONE, SLIPPAGE_PPM, SLIPPAGE_HALF_SPREAD, SLIPPAGE_VOLUME_SHARE, SLIPPAGE_SQUARE_ROOT, SLIPPAGE_FITTED = map(int, SlippageModel)
THROUGH, TOUCH = map(int, LimitRule)
AT_OPEN, CLAMPED = map(int, LimitGap)
BEYOND, OUTSIDE_BAR = map(int, StopGap)
TEST_RAISE_TEST_CLOSE, RAISE_TEST, TEST_RAISE, FREQTRADE = map(int, TrailRule)
STOPS_FIRST, TRAILING_LAST, ACCEPTANCE = map(int, RangeOrder)
(
    ACCEPTED,
    BAD_QUANTITY,
    BAD_PRICE,
    BAD_COMBINATION,
    TOO_SMALL,
    NO_SHORT,
    WOULD_TAKE,
    INSUFFICIENT_CASH,
    NO_ROOM_IN_BOOK,
    UNKNOWN_ORDER,
    NOT_OPEN,
    OVER_ORDER_SIZE,
    OVER_ORDER_VALUE,
    OVER_POSITION,
    OUTSIDE_COLLAR,
    TOO_MANY_OPEN,
    TOO_MANY_ORDERS,
    CANCELLED_BY_OWNER,
    GROUP_FILLED,
    PARENT_ENDED,
    NOTHING_TO_REDUCE,
    NOT_FILLED_AT_ONCE,
    DAY_OVER,
    TIME_OVER,
    CLOSED_BY_LIQUIDATION,
    OUT_OF_BOUNDS,
    PROTECTION_FILLED,
    MARKET_AT_OPEN,
    MARKET_AT_CLOSE,
    MARKET_AT_QUOTE,
    LIMIT_CROSSED,
    LIMIT_GAPPED,
    LIMIT_MARKETABLE,
    STOP_TRIGGERED,
    STOP_GAPPED,
    STOP_LIMIT_TRIGGERED,
    TRAIL_TRIGGERED,
    TRAIL_GAPPED,
    DEPTH_LEVEL,
    LIQUIDATED_AT_OPEN,
    LIQUIDATED,
) = map(int, Reason)
