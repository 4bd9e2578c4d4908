"""What is told of an order: states, views, records, events and the journal that they come from.

Nothing in here moves an order.
"""
