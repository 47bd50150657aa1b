"""Tillhouse: a retailer's customer-data warehouse as Dagster assets."""
