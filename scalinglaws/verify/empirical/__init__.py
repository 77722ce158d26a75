"""People's own measurements: capacity and source of their data, and what the theories predict for it."""
