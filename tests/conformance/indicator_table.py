"""What the outside judge has: LEAN's reference files, the columns that our indicators are compared with, and what is not compared and why.

`within` is the absolute difference allowed: the rounding of the judge's column (or of its inputs), or a few units in the last place of doubles.
Where the judge seeds a recursion differently, `because` says how and `settle` is the number of bars that the difference needs to fade below
`within`; they are the only rows not compared. `first_range`: the judge counts the first bar's high - low as its true range, which ours does when
a bar at the same close comes before it, so the comparison is made with such a bar in front.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ROUNDING = 1e-9
EARLIER = "the judge's recursion begins with prices from before the first bar of the file"
RANGE = "the judge counts the first bar's range as its true range"


@dataclass(frozen=True)
class Case:
    """One column of one file. `last` keeps the slowest measures to the last rows of a long file: they look at a window only."""

    file: str
    column: str
    name: str
    output: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    within: float = ROUNDING
    settle: int = 0
    because: str = ""
    first_range: bool = False
    last: int = 0

    def __str__(self) -> str:
        return f"{self.name}-{self.file}-{self.column}"


def case(file: str, column: str, name: str, output: str = "", within: float = ROUNDING, **parameters: Any) -> Case:
    """The usual row: no seeding to settle."""
    return Case(file, column, name, output, parameters, within)


KST: dict[str, Any] = {"roc_1": 5, "average_1": 5, "roc_2": 10, "average_2": 5, "roc_3": 15, "average_3": 5, "roc_4": 25, "average_4": 10}
SAR: dict[str, Any] = {"long_step": 0.01, "long_most": 0.3, "short_start": 0.03, "short_most": 0.4}
STOPS: dict[str, Any] = {"atr_length": 5, "factor": 2.0, "length": 3}

TABLE = [
    # averages
    case("spy_with_indicators.txt", "SMA14", "sma", within=6e-3, length=14),
    case("spy_with_indicators.txt", "EMA14", "ema", within=6e-3, length=14, seed="mean"),
    case("spy_ema.csv", "EMA14", "ema", length=14, seed="mean"),
    case("spy_dema.txt", "DEMA_5", "dema", length=5),
    case("spy_tema.txt", "TEMA_5", "tema", length=5),
    case("spy_t3.txt", "T3_5", "t3", length=5),
    case("spy_trima.txt", "TRIMA_5", "trima", length=5),
    case("spy_trima.txt", "TRIMA_6", "trima", length=6),
    case("spy_hma.txt", "HMA_16", "hma", within=1e-7),
    case("spy_alma.txt", "ALMA", "alma", within=1e-7),
    case("spy_kama.txt", "KAMA_5", "kama", length=5),
    case("spy_ker.txt", "KER", "efficiency_ratio"),
    case("spy_vidya.txt", "VIDYA_9", "vidya", within=1e-3),
    Case("frama.txt", "Filt", "frama", within=6e-3, settle=21, because="the judge's average follows the price for one bar more"),
    Case("spy_mama.csv", "mama", "mama", within=1e-2, settle=25, because="the judge's averages begin from 0"),
    Case("spy_mama.csv", "fama", "mama", "fama", within=1e-2, settle=133, because="the judge's averages begin from 0"),
    case("spy_with_zlema.csv", "ZLEMA5", "zlema", length=5),
    case("spy_with_McGinleyDynamic.csv", "McGinleyDynamic14", "mcginley"),
    case("spy_with_rma.csv", "RMA5", "relative_average", within=1e-7),
    case("spy_tsf.csv", "tsf", "tsf", length=5),
    case("spy_with_vwma.csv", "VWMA20", "vwma"),
    case("spy_with_vwap.txt", "Moving VWAP 50", "vwap", within=1e-4, price="average"),
    # oscillators of the close
    case("spy_with_indicators.txt", "MACD 12 26", "macd", within=2e-4),
    case("spy_with_macd.txt", "MACD", "macd", within=1e-5),
    case("spy_with_macd.txt", "Signal", "macd", "signal", within=1e-5),
    case("spy_with_macd.txt", "Histogram", "macd", "histogram", within=1e-5),
    case("spy_apo.txt", "APO_5_10", "apo", fast=5, slow=10, average="simple"),
    case("spy_ppo.txt", "PPO_5_10", "ppo", fast=5, slow=10, average="simple"),
    case("spy_with_indicators.txt", "RSI 14 Wilder", "rsi", within=1e-5),
    case("spy_with_indicators.txt", "RSI 14", "rsi", within=5e-4, average="simple"),
    case("spy_crsi.csv", "crsi", "connors_rsi"),
    case("spy_with_StochRSI.csv", "k", "stochastic_rsi", "k"),
    case("spy_with_StochRSI.csv", "d", "stochastic_rsi", "d"),
    case("spy_cmo.txt", "CMO_5", "cmo", length=5),
    case("spy_with_roc50.txt", "Rate of Change 50", "momentum", within=1e-4, length=50),
    case("spy_with_rocp50.txt", "Rate of Change % 50", "roc", within=2e-5, length=50),
    case("spy_rocr.txt", "ROCR_5", "rocr", length=5),
    case("spy_logr14.txt", "LOGR14", "log_return", within=1e-7, length=14),
    case("spy_trix.txt", "TRIX_5", "trix", length=5),
    case("spy_tsi.csv", "TSI_25_13", "tsi"),
    case("spy_tsi.csv", "Signal_7", "tsi", "signal"),
    case("spy_with_kst.csv", "kst", "kst", **KST),
    case("spy_with_kst.csv", "signal", "kst", "signal", **KST),
    case("spy_coppock_curve.csv", "CoppockCurve", "coppock"),
    case("spy_dpo.csv", "DPO", "dpo"),
    case("spy_do.csv", "DO", "derivative"),
    Case("spy_stc.txt", "STC", "schaff", within=1e-7, settle=29, because="the judge's stochastics begin before the MACD is warm"),
    case("spy_aps.txt", "APS", "price_spike"),
    # oscillators of the bar
    case("spy_with_stoch12k3.txt", "Stochastics 12 %K 3", "stochastic", "k", within=5e-4, length=12, d=5),
    case("spy_with_stoch12k3.txt", "%D 5", "stochastic", "d", within=5e-4, length=12, d=5),
    case("spy_with_williamsR14.txt", "Williams %R 14", "williams_r", within=5e-4),
    case("spy_with_cci.txt", "Commodity Channel Index (CCI) 14", "cci", within=3e-3, length=14),
    case("spy_ultosc.txt", "ULTOSC_7_14_28", "ultimate"),
    case("spy_ao.txt", "AO", "awesome"),
    case("spy_bop.txt", "BOP", "bop"),
    case("spy_with_ibs.csv", "IBS", "ibs"),
    case("spy_with_fisher.txt", "Fisher Transform 10", "fisher"),
    case("spy_pso.csv", "pso", "premier_stochastic"),
    case("eurusd60_dem.txt", "DeM", "demarker"),
    case("spy_rvi.txt", "RVI", "vigor"),
    case("spy_rvi.txt", "RVI_S", "vigor", "signal"),
    # volatility and risk
    case("spy_tr.txt", "TR", "true_range"),
    case("spy_atr.txt", "Average True Range 14", "atr", within=1e-5, average="simple"),
    Case("spy_atr_wilder.txt", "Average True Range 14", "atr", within=1e-5, first_range=True, because=RANGE),
    case("spy_natr.txt", "NATR_5", "natr", length=5),
    case("spy_adr.csv", "adr", "average_range"),
    case("spy_var.txt", "Var", "variance", length=10),
    case("spy_with_rsv.csv", "RSV9", "rogers_satchell", length=9),
    Case("spy_with_chop.csv", "CHOP14", "choppiness", first_range=True, because=RANGE),
    Case("spy_mass_index_25.txt", "MassIndex", "mass_index", within=1e-7, settle=29, because=EARLIER),
    case("spy_sr.txt", "SR_10", "sharpe", within=1e-4, length=10),
    case("spy_sortino.csv", "sortino_rf_0_period_15", "sortino", length=15),
    case("spy_sortino.csv", "sortino_rf_0.01_period_15", "sortino", length=15, target=0.01),
    case("spy_tdd.csv", "tdd", "downside_deviation", length=3),
    case("spy_valueatrisk.csv", "VaR_99", "value_at_risk"),
    case("spy_valueatrisk.csv", "VaR_95", "value_at_risk", confidence=0.95),
    case("spy_valueatrisk.csv", "VaR_90", "value_at_risk", confidence=0.90),
    # volume
    case("spy_with_obv.txt", "OBV", "obv", within=2e3),
    case("spy_with_sobv.csv", "SOBV20", "smoothed_obv"),
    case("spy_ad.txt", "AD", "ad", within=1e-4),
    case("spy_ad_osc.txt", "AdOsc_3_10", "ad_oscillator", within=1e-4),
    case("spy_cmf.txt", "CMF_20", "cmf", within=2e-6),
    case("spy_mfi.txt", "Money Flow Index 20", "mfi", within=1e-5, length=20),
    case("spy_emv.txt", "EMV", "ease_of_movement", length=1),
    case("spy_with_ForceIndex.csv", "ForceIndex20", "force_index", within=1e-6, length=20),
    case("spy_with_kvo.csv", "KVO5_10", "kvo", within=1e-4, fast=5, slow=10),
    *(
        case(file, column, name, output, length=3)
        for file, name in (("vp_datatest.csv", "volume_profile"), ("tp_datatest.csv", "time_profile"))
        for column, output in (
            ("POCPrice", "busiest"),
            ("POCVolume", "busiest_volume"),
            ("PH", "high"),
            ("PL", "low"),
            ("VAH", "area_high"),
            ("VAL", "area_low"),
        )
    ),
    # trend
    case("spy_with_adx.txt", "ADX 14", "adx", within=1e-4),
    case("spy_with_adx.txt", "+DI14", "adx", "plus_di", within=1e-4),
    case("spy_with_adx.txt", "-DI14", "adx", "minus_di", within=1e-4),
    case("spy_with_adx.txt", "DX", "dx", within=5e-3),
    case("spy_with_adx.txt", "ADXR 14", "adxr", within=1e-4),
    case("spy_aroon_oscillator.txt", "Aroon Oscillator 14", "aroon", within=1e-5),
    case("spy_with_vtx.csv", "plus_vtx", "vortex", "plus"),
    case("spy_with_vtx.csv", "minus_vtx", "vortex", "minus"),
    case("spy_sarext.txt", "SAR", "psar"),
    case("spy_sarext.txt", "SAREXT", "psar_extended"),
    case("spy_sarext.txt", "SAREXT_PARAM1", "psar_extended", **SAR),
    case("spy_sarext.txt", "SAREXT_PARAM2", "psar_extended", start=100.0, **SAR),
    case("spy_sarext.txt", "SAREXT_PARAM3", "psar_extended", start=-95.0, **SAR),
    case("spy_sarext.txt", "SAREXT_PARAM4", "psar_extended", start=100.0, offset=0.02, **SAR),
    Case("dwac_supertrend.txt", "Super", "supertrend", within=1e-7, first_range=True, because=RANGE),
    case("spy_with_ichimoku.csv", "Tenkan", "ichimoku", "tenkan"),
    case("spy_with_ichimoku.csv", "Kijun", "ichimoku", "kijun"),
    case("spy_with_ichimoku.csv", "Senkou A", "ichimoku", "senkou_a"),
    case("spy_with_ichimoku.csv", "Senkou B", "ichimoku", "senkou_b"),
    Case("spy_with_ChandeKrollStop.csv", "short_stop", "chande_kroll", "short", STOPS, first_range=True, because=RANGE),
    Case("spy_with_ChandeKrollStop.csv", "long_stop", "chande_kroll", "long", STOPS, first_range=True, because=RANGE),
    case("spy_zigzag.csv", "zigzag", "zigzag", bars=10),
    case("spy_pivot_pnt_hl.txt", "PPHL", "pivots"),
    case("spy_si.csv", "SI", "swing_index", within=1e-7),
    case("spy_asi.csv", "ASI", "accumulative_swing", within=1e-6),
    case("spy_heikin_ashi.txt", "HA_Open", "heikin_ashi", "open", within=1e-7),
    case("spy_heikin_ashi.txt", "HA_High", "heikin_ashi", "high", within=1e-7),
    case("spy_heikin_ashi.txt", "HA_Low", "heikin_ashi", "low", within=1e-7),
    case("spy_heikin_ashi.txt", "HA_Close", "heikin_ashi", "close", within=1e-7),
    Case("spy_hurst_exponent.csv", "hurst_exponent", "hurst", last=400),
    case("spy_wto.csv", "WT1", "wave_trend", "wave", within=1e-6),
    case("spy_wto.csv", "WT2", "wave_trend", "signal", within=1e-6),
    # channels
    case("spy_bollinger_bands.txt", "Moving Average 20", "bollinger", "middle"),
    case("spy_bollinger_bands.txt", "Bollinger Bands® 20 2 Top", "bollinger", "upper", within=1e-4),
    case("spy_bollinger_bands.txt", "Bollinger Bands® 20 2 Bottom", "bollinger", "lower", within=1e-4),
    case("spy_bollinger_bands.txt", "BandWidth", "bollinger", "width", within=2e-4),
    case("spy_bollinger_bands.txt", "%B", "bollinger", "percent", within=1e-4),
    case("spy_sm.csv", "mid_bb", "bollinger", "middle"),
    case("spy_sm.csv", "bb high", "bollinger", "upper"),
    case("spy_sm.csv", "bb low", "bollinger", "lower"),
    case("spy_sm.csv", "kc high", "keltner", "upper", average="exponential"),
    case("spy_sm.csv", "kc low", "keltner", "lower", average="exponential"),
    case("spy_sm.csv", "squeeze on", "squeeze"),
    Case("spy_with_keltner.csv", "Keltner Channels 20 Top", "keltner", "upper", within=1e-4, first_range=True, because=RANGE),
    Case("spy_with_keltner.csv", "Keltner Channels 20 Bottom", "keltner", "lower", within=1e-4, first_range=True, because=RANGE),
    case("spy_with_keltner.csv", "Middle Band", "keltner", "middle", within=1e-4),
    case("spy_with_don50.txt", "Donchian Channels 50 Top", "donchian", "upper", length=50),
    case("spy_with_don50.txt", "Donchian Channels 50 Bottom", "donchian", "lower", length=50),
    case("spy_with_don50.txt", "Donchian Channels 50 Mean", "donchian", "middle", length=50),
    case("spy_acceleration_bands_20_4.txt", "MiddleBand", "acceleration_bands", "middle"),
    case("spy_acceleration_bands_20_4.txt", "UpperBand", "acceleration_bands", "upper", within=1e-4),
    case("spy_acceleration_bands_20_4.txt", "LowerBand", "acceleration_bands", "lower", within=1e-4),
    # extremes and pairs
    case("spy_max.txt", "MAX_5", "max", length=5),
    case("spy_min.txt", "MIN_5", "min", length=5),
    case("spy_midpoint.txt", "MIDPOINT_5", "midpoint", length=5),
    case("spy_midprice.txt", "MIDPRICE_5", "midprice", length=5),
    Case("spy_qqq_corr.csv", "Correlation_Pearson", "correlation", parameters={"length": 252}, last=600),
    Case("spy_qqq_corr.csv", "Correlation_Spearman", "rank_correlation", parameters={"length": 252}, last=270),
    Case("spy_qqq_cov.csv", "Covariance", "covariance", parameters={"length": 252}, last=600),
    case("bi_datatest.csv", "Beta", "beta", length=5),
    case("alpha_indicator_datatest.csv", "Alpha", "alpha", length=5),
    # cycles
    Case(
        "spy_with_hilbert.csv",
        "InPhase",
        "hilbert",
        "in_phase",
        within=1e-6,
        settle=105,
        because="the judge's filter begins one bar earlier and takes what is missing as 0",
    ),
    case("spy_with_hilbert.csv", "Quadrature", "hilbert", "quadrature", within=1e-7),
    case("spy_swiss.txt", "Gauss", "gauss", within=6e-3),
    Case(
        "spy_swiss.txt",
        "Butter",
        "butterworth",
        within=6e-3,
        settle=10,
        because=EARLIER,
    ),
    Case(
        "spy_swiss.txt",
        "HP",
        "high_pass",
        within=6e-3,
        settle=10,
        because="the judge's filter begins from the price of a bar that is not in the file",
    ),
    Case(
        "spy_swiss.txt",
        "2PHP",
        "two_pole_high_pass",
        within=6e-3,
        settle=18,
        because=EARLIER,
    ),
    Case(
        "spy_swiss.txt",
        "BS",
        "band_stop",
        within=6e-3,
        settle=248,
        because=EARLIER,
    ),
]

CANDLES = {
    "doji": "DOJI",
    "dragonfly_doji": "DRAGONFLYDOJI",
    "gravestone_doji": "GRAVESTONEDOJI",
    "long_legged_doji": "LONGLEGGEDDOJI",
    "marubozu": "MARUBOZU",
    "closing_marubozu": "CLOSINGMARUBOZU",
    "belt_hold": "BELTHOLD",
    "long_line": "LONGLINE",
    "short_line": "SHORTLINE",
    "spinning_top": "SPINNINGTOP",
    "high_wave": "HIGHWAVE",
    "hammer": "HAMMER",
    "hanging_man": "HANGINGMAN",
    "inverted_hammer": "INVERTEDHAMMER",
    "shooting_star": "SHOOTINGSTAR",
    "engulfing": "ENGULFING",
    "harami": "HARAMI",
    "harami_cross": "HARAMICROSS",
    "doji_star": "DOJISTAR",
    "piercing": "PIERCING",
    "dark_cloud": "DARKCLOUDCOVER",
    "morning_star": "MORNINGSTAR",
    "morning_doji_star": "MORNINGDOJISTAR",
    "evening_star": "EVENINGSTAR",
    "evening_doji_star": "EVENINGDOJISTAR",
    "three_inside": "3INSIDE",
    "three_outside": "3OUTSIDE",
    "three_white_soldiers": "3WHITESOLDIERS",
    "three_black_crows": "3BLACKCROWS",
    "matching_low": "MATCHINGLOW",
}
CANDLE_FILES = ("spy_candle_patterns.txt", "ewz_candle_patterns.txt", "eurusd_candle_patterns.txt")
TOUCHING = {"engulfing", "harami", "harami_cross"}
TABLE += [
    case(file, f"CDL{column}", f"candle_{name}", within=0.0, **({"touching": "none"} if name in TOUCHING else {}))
    for file in CANDLE_FILES
    for name, column in CANDLES.items()
]
CANDLES_NOT_OFFERED = (
    "2CROWS 3LINESTRIKE 3STARSINSOUTH ABANDONEDBABY ADVANCEBLOCK BREAKAWAY CONCEALBABYSWALL COUNTERATTACK GAPSIDESIDEWHITE HIKKAKE HIKKAKEMOD "
    "HOMINGPIGEON IDENTICAL3CROWS INNECK KICKING KICKINGBYLENGTH LADDERBOTTOM MATHOLD ONNECK RICKSHAWMAN RISEFALL3METHODS SEPARATINGLINES "
    "STALLEDPATTERN STICKSANDWICH TAKURI TASUKIGAP THRUSTING TRISTAR UNIQUE3RIVER UPSIDEGAP2CROWS XSIDEGAP3METHODS"
)
"""Rare patterns: of the 61 the 30 above are offered."""

PAIRS = {"spy_qqq_corr.csv", "spy_qqq_cov.csv", "bi_datatest.csv", "alpha_indicator_datatest.csv"}
"""Files with two instruments: the first of each two rows is ours, the second the reference with the judge's value."""

NOT_OFFERED = {
    "arms_data.txt": "market breadth of many instruments (advance and decline, TRIN), not an indicator of one",
    "spy_arima.csv": "a fitted model: forecasts, not indicators",
    "spy_rdv.txt": "volume against the same time of earlier days: needs the clock, which an indicator does not see",
}
NO_JUDGE = {
    "fxVolumeDaily.csv": "volumes only, no indicator",
    "fxVolumeHourly.csv": "volumes only, no indicator",
    "fxVolumeMinute.csv": "volumes only, no indicator",
    "spy_10_min.txt": "prices only, no indicator",
    "spy_ohlcv.txt": "prices only, no indicator",
    "test_cash_equity.xml": "the equity of a portfolio, no indicator",
    "test_cash_fills.xml": "the fills of a portfolio, no indicator",
    "test_forex_equity.xml": "the equity of a portfolio, no indicator",
    "test_forex_fills.xml": "the fills of a portfolio, no indicator",
    "test_forex_fills_jwb_quantity.xml": "the fills of a portfolio, no indicator",
    "test_forex_fills_mch_quantity.xml": "the fills of a portfolio, no indicator",
}
COLUMNS_NOT_OFFERED = {("spy_swiss.txt", "BP"): "LEAN's band-pass filter follows the column to 0.03 only, the published one not at all"}
