"""The words of the core: orders, catalog and plan as values, and the names on the wire.

Nothing in here decides anything. Text as such is in `orders.model.writing`, what silos are like in
`orders.model.silos`. What the silos hold is in `orders.reconcile`.
"""
