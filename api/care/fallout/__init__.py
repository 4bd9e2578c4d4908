"""What needs a person: fallout, work items, jobs over many orders, trouble of our own.

How one order is changed is in `api.care.orders`.
"""
