"""How numbers and times are written, and pictures drawn from them. No Django here."""
