"""Public market data of any exchange that ccxt knows, over REST. ccxt takes a second and 90 MB to import: only feeding processes open this."""
