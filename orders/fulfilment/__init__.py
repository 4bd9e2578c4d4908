"""One order in flight: its state, deciding changes, and what is told about it. What the workflow carries.

Temporal itself is in `workflows`.
"""
