"""The loop's pure heart: the ledger of facts, and the silo calls that bring it nearer to the target.

Knows plans and facts, not orders: what the customer asked for is in `orders.change` and `orders.planning`.
"""
