"""The durable shell around the core: `OrderWorkflow`, one for each order.

What is decided is in `orders`; silo calls are in `activities`.
"""
