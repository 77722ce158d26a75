"""Checks of kernels that adapt: equations against sampled networks, exact results and other ways to solve them."""
