"""Codes and columns of the engine's int64 arrays; `trading_system/decisions/0010-the-engine.md` says what they mean.

Kernels read the plain numbers, Python reads the enums; both are the same values.
"""

from __future__ import annotations

from enum import IntEnum

PPM = 1_000_000
RATE_ONE = 1_000_000_000
"""A currency rate of 1, in billionths."""
NEVER = 0
"""`expires_at` of an order that is good till cancelled."""
NO_ROW = -1
INT64_SAFE = 1 << 61
UNBOUNDED = (1 << 62) - 1
"""Larger than any price, time or number of lots."""

BUY = 1
SELL = -1


class EngineOrderType(IntEnum):
    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3
    TRAILING = 4
    MARKET_ON_OPEN = 5
    MARKET_ON_CLOSE = 6


class EngineTimeInForce(IntEnum):
    GTC = 0
    DAY = 1
    GTD = 2
    IOC = 3
    FOK = 4


class EngineOrderState(IntEnum):
    WAITING = 0
    OPEN = 1
    FILLED = 2
    CANCELLED = 3
    EXPIRED = 4
    REFUSED = 5


class Reason(IntEnum):
    """Why an order filled at its price, ended, or was refused."""

    NONE = 0
    # Refusals.
    BAD_QUANTITY = 1
    BAD_PRICE = 2
    BAD_COMBINATION = 3
    TOO_SMALL = 4
    NO_SHORT = 5
    WOULD_TAKE = 6
    INSUFFICIENT_CASH = 7
    BOOK_FULL = 8
    UNKNOWN_ORDER = 9
    NOT_OPEN = 10
    OVER_ORDER_SIZE = 11
    OVER_ORDER_VALUE = 12
    OVER_POSITION = 13
    OUTSIDE_COLLAR = 14
    TOO_MANY_OPEN = 15
    TOO_MANY_ORDERS = 16
    # Ends without a (further) fill.
    CANCELLED_BY_OWNER = 20
    GROUP_FILLED = 21
    PARENT_ENDED = 22
    NOTHING_TO_REDUCE = 23
    NOT_FILLED_AT_ONCE = 24
    DAY_OVER = 25
    TIME_OVER = 26
    CLOSED_BY_LIQUIDATION = 27
    OUT_OF_BOUNDS = 28
    PROTECTION_FILLED = 29
    # Fills.
    MARKET_AT_OPEN = 40
    MARKET_AT_CLOSE = 41
    MARKET_AT_QUOTE = 42
    LIMIT_CROSSED = 43
    LIMIT_GAPPED = 44
    LIMIT_MARKETABLE = 45
    STOP_TRIGGERED = 46
    STOP_GAPPED = 47
    STOP_LIMIT_TRIGGERED = 48
    TRAIL_TRIGGERED = 49
    TRAIL_GAPPED = 50
    DEPTH_LEVEL = 51
    LIQUIDATED_AT_OPEN = 52
    LIQUIDATED = 53

    @property
    def is_fill(self) -> bool:
        """Whether this is the reason of a trade."""
        return self >= Reason.MARKET_AT_OPEN

    @property
    def is_refusal(self) -> bool:
        """Whether this is why an order or a change was not taken."""
        return Reason.NONE < self < Reason.CANCELLED_BY_OWNER


class SlippageModel(IntEnum):
    NONE = 0
    PPM = 1
    HALF_SPREAD = 2
    VOLUME_SHARE = 3
    SQUARE_ROOT = 4
    FITTED = 5


class LimitRule(IntEnum):
    """When a bar that touches a limit fills it."""

    THROUGH = 0
    TOUCH = 1


class LimitGap(IntEnum):
    """What a limit pays when the bar opens beyond it."""

    AT_OPEN = 0
    CLAMPED = 1


class StopGap(IntEnum):
    """When a stop fills at the open."""

    BEYOND = 0
    OUTSIDE_BAR = 1


class TrailRule(IntEnum):
    """In which order a trailing stop is raised and tested."""

    TEST_RAISE_TEST_CLOSE = 0
    RAISE_TEST = 1
    TEST_RAISE = 2
    FREQTRADE = 3


class RangeOrder(IntEnum):
    """Which orders come first where a bar reaches several."""

    STOPS_FIRST = 0
    TRAILING_LAST = 1
    ACCEPTANCE = 2


class StepStatus(IntEnum):
    """How a step or a run ended."""

    OK = 0
    BOOK_FULL = 1
    OVERFLOW = 2
    BAD_BAR = 3


# Flags of an order, bits of O_FLAGS.
POST_ONLY = 1
REDUCE_ONLY = 2
TRIGGERED = 4
"""A stop-limit that has reached its stop."""
SEEN = 8
"""The order has met its first event."""
OPENED_IN_RANGE = 16
"""Opened by a fill inside this bar: its limits wait for the next one."""
CHANGED = 32
"""Its price was changed since the last event (freqtrade's clamp)."""
NEAR_ONLY = 64
"""A guard that is not raised before its profit is reached."""
OUT = 128
"""The price in this event was out of bounds: the order acts no more in it."""
LEAVES = 256
"""An exit at a price of its own beside guards (freqtrade's exit signals)."""

# Columns of a row of `book`.
(
    O_PLACE,
    O_SIDE,
    O_TYPE,
    O_TIF,
    O_FLAGS,
    O_LOTS,
    O_FILLED,
    O_LIMIT,
    O_STOP,
    O_TRAIL,
    O_TRAIL_PPM,
    O_BEST,
    O_STATE,
    O_REASON,
    O_SUBMITTED_AT,
    O_ACTIVE_AT,
    O_EXPIRES_AT,
    O_PARENT,
    O_GROUP,
    O_STOP_PPM,
    O_LIMIT_PPM,
    O_TAG,
    O_VALUE,
    O_FEE,
    O_QUEUE,
    O_ENDED_AT,
    O_CHILDREN,
    O_NEXT,
    O_WAS_RAISED,
    O_LEVERAGE,
    O_PROFIT_PPM,
    O_NEAR_PPM,
) = range(32)
BOOK_COLUMNS = 32
"""O_CHILDREN is the first child's row, O_NEXT the next child of the same parent. The last three are those of a guard (`guards_nb.py`): leverage in
thousandths (0 = no guard); the profit that a target wants, or from which a trailing stop follows more closely; how closely then."""

# Columns of a row of `fills`.
(
    F_ORDER,
    F_PLACE,
    F_AT,
    F_SIDE,
    F_LOTS,
    F_PRICE,
    F_VALUE,
    F_FEE,
    F_REASON,
    F_IS_MAKER,
    F_REFERENCE,
    F_TAG,
) = range(12)
FILL_COLUMNS = 12

# Columns of a row of `places`: an instrument's constants, then what changes.
(
    I_TICK,
    I_MAX_PRICE,
    I_MIN_LOTS,
    I_MAX_LOTS,
    I_MIN_NOTIONAL,
    I_CASH_PER_PRICE_LOT,
    I_CURRENCY,
    I_ALLOWS_SHORT,
    I_INITIAL_PPM,
    I_MAINTENANCE_PPM,
    I_VOLUME_SHARE_PPM,
    I_SLIPPAGE,
    I_HALF_SPREAD_PPM,
    I_SLIPPAGE_PPM,
    I_IMPACT_PPM,
    I_FEE_FLAT,
    I_FEE_MAKER_PPM,
    I_FEE_TAKER_PPM,
    I_FEE_PER_LOT_PPM,
    I_FEE_MINIMUM,
    I_FEE_CAP_PPM,
    I_FEE_CAP_ABOVE_MINIMUM,
    I_TIERS,
    I_TIER_1,
    I_TIER_1_MAKER,
    I_TIER_1_TAKER,
    I_TIER_2,
    I_TIER_2_MAKER,
    I_TIER_2_TAKER,
    I_TIER_3,
    I_TIER_3_MAKER,
    I_TIER_3_TAKER,
    I_LIMIT_RULE,
    I_LIMIT_GAP,
    I_STOP_GAP,
    I_TRAIL_RULE,
    I_RANGE_ORDER,
    I_POSITION,
    I_MARK,
    I_VOLUME_LEFT,
    I_LOW_BOUND,
    I_HIGH_BOUND,
    I_TIME_BOUND,
    I_BID,
    I_ASK,
    I_STEPPED_AT,
    I_QUOTED_AT,
    I_QUOTED_BID,
    I_QUOTED_ASK,
    I_BID_SHOWN,
    I_ASK_SHOWN,
    I_BID_LEFT,
    I_ASK_LEFT,
    I_DEPTH_AT,
) = range(54)
PLACE_COLUMNS = 54
"""I_FEE_PER_LOT_PPM is the fee per lot in millionths of a cash unit. The last eight are the quote stepped last, what orders may still take of
its sizes, and the time of the depth snapshot in `levels`."""

# Columns of a row of a depth snapshot (`shown`), a level each, best first; a price of 0 ends its side.
L_BID, L_BID_LOTS, L_ASK, L_ASK_LOTS = range(4)
SHOWN_COLUMNS = 4

# Further columns of a row of `levels`, the snapshot stepped last: what orders may still take.
L_BID_LEFT, L_ASK_LEFT = 4, 5
LEVEL_COLUMNS = 6

# Entries of `account`; cash by currency begins at A_CASH, rates (billionths) follow it at A_CASH + number of currencies.
(
    A_ORDERS,
    A_ACTIVE,
    A_FILLS,
    A_NEXT_GROUP,
    A_NOW,
    A_TRADED_VALUE,
    A_STATUS,
    A_CURRENCIES,
    A_LATENCY_US,
    A_IS_CASH_ONLY,
    A_WAITING,
    A_CASH,
) = range(12)
