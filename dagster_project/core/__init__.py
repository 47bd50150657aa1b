"""Plain Python that moves and judges data.

Nothing below this package imports dagster; the order in which modules may use each other is
yaml_files, home, keys, audit_log, ops_tables, warehouse, declarations, feeds, modelling, quality,
anomalies, grading, identity, forecasting, mining, privacy, publishing, reports, erasure,
withdrawing, sharing, backup, rotation, and a module uses only those before it. ``simulation`` uses
declarations only, and nothing uses it.
"""
