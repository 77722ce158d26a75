"""Checks of schedules, momentum and averages."""
