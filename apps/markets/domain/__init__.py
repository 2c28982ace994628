"""Rules of market data: batches of bars, exact conversion, quality, gaps. Plain numpy."""
