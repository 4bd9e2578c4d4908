"""Demand: what orders in flight will still ask of each silo and when, beside what silos can do.

It is worked out from what the register holds of an order: its last record and its revision. No workflow is asked.
"""
