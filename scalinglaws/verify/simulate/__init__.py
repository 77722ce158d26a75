"""Direct simulations. They know no theory, so they can contradict it."""
