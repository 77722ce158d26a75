"""The lazy linear model: its exponents, its losses and its optima, against simulation and against the solver."""
