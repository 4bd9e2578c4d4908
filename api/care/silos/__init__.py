"""Silos as operators see them, and what will be asked of them.

How an order waits for one is in `api.care.orders`.
"""
