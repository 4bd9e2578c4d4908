"""One order in flight: its state, and deciding changes. What the workflow carries.

What is told of it is in `tracking`, and Temporal itself in `workflows`.
"""
