"""The words of the core: orders, catalog and plan as values, and the names on the wire.

Nothing in here decides anything. What the silos hold is in `orders.reconcile`.
"""
