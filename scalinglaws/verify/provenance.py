"""Where a report comes from, under the name that this room has for it."""

from __future__ import annotations

from ..provenance import environment as environment
from ..provenance import source_digest as source_digest
