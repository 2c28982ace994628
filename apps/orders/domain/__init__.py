"""Rules of orders: the transition table, matching, validation. No Django here."""
