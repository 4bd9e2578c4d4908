"""Orders as agents see them, and changes to them.

Lists of orders are in `api.care.customers`.
"""
