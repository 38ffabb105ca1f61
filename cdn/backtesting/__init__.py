"""Backtesting: forecasts of days that have passed, made from what came before them, against what then happened."""
