"""Input for demonstrations, tests and benchmarks: one real retailer and one simulated.

Belongs here: writing files as two senders would deliver them, and the truth behind the simulated
one. Does not: anything that reads the warehouse; nothing in the project uses this package but the
command line.
"""

from dagster_project.core.simulation.journey import deliver_journey
from dagster_project.core.simulation.run import SimulationOutcome, simulate

__all__ = ["SimulationOutcome", "deliver_journey", "simulate"]
