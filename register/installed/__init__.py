"""The installed base, and the line of orders that wait for a product.

What is installed is decided in `orders.planning`.
"""
