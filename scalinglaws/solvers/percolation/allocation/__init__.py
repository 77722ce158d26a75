"""The best division of a budget between clusters."""
