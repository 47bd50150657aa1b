"""Plain Python that moves and judges data.

Nothing below this package imports dagster; the order in which modules may use each other is
home, keys, warehouse, declarations, feeds, modelling, quality, identity, forecasting, mining,
privacy, publishing, reports, and a module uses only those before it. ``simulation`` uses
declarations only, and nothing uses it.
"""
