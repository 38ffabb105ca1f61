"""The sample generator: a catalog, its regions' tastes and days of requests, calibrated to measured figures."""
