"""Customers over all channels, their orders found by what is known of them, and what they were told.

One order is in `api.care.orders`.
"""
