"""The core of orderpipe, pure and deterministic: what an order is, what is still to be done for it, what a change does.

No I/O, no clock, no Temporal. Each package in here imports only from those before it: model, reconcile, change,
planning, catalog_check and read_model, fulfilment.
"""
