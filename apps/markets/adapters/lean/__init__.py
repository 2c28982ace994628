"""LEAN's data folder: trade bars of equities and crypto, daily, hourly and by the minute."""
