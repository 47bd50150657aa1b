"""Forecasts of many daily series at once: arrays in, arrays out.

Belongs here: models, back-test, choice, intervals, sums that agree. Does not: SQL, files, money,
the warehouse. Everything is (series, days) and one call handles all series.
"""
