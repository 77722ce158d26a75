"""Patterns of feature learning: their costs, the rare events behind them, and finite networks sampled from their posterior."""
