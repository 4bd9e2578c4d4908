"""What may be asked for while an order is in flight: the request, its impact, its fees and the objections to it.

The decision itself, which moves the target, is in `orders.fulfilment`.
"""
