"""Pictures of couplings that flow while modes are integrated out."""

from ._flow import flow_diagram

__all__ = ["flow_diagram"]
