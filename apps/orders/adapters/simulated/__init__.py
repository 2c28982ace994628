"""The simulated venue: a book of orders in tables, matched against bars."""
