"""Forecasts measured against their peers on real and on generated demand."""
