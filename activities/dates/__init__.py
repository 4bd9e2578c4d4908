"""When: how long work takes, and when visits can be.

What is promised by it is decided in `orders.promising`.
"""
