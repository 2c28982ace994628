"""Values, rounding, ids, clock, errors, event base and kernel loader: plain Python that every app may use."""
