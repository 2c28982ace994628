"""Features, labels, splits, metrics, calibration and the promotion rule: plain numpy, no database."""
