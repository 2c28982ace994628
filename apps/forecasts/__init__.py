"""Features, models, training and forecasts."""
