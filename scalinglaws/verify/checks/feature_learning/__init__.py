"""Feature learning: its flow and exponents, training in steps, networks without projection, and networks on the circle."""
