"""The two-time mean-field theory of feature learning, solved in one pass over the steps."""
