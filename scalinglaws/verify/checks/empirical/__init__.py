"""What people measure: capacity and source of their tasks, and fits of laws to their runs."""
