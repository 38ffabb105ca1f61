"""Forecasting: what each region will ask for on a day, from the days before it."""
