"""Tillhouse: a retailer's customer-data warehouse as Dagster assets."""

import os

# Fits are small and many: a pool of threads for each costs more than it brings. The libraries read
# this once, when they are loaded, so it stands before all of them, however the project is started.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
