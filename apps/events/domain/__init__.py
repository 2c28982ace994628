"""Rules of the log and the bus: the chain, the back-off, the projection's fold. No Django here."""
