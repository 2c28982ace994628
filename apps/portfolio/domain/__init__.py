"""Rules of the books: booking fills, valuing an account, measuring performance. Pure: no Django, no clock, no input or output."""
