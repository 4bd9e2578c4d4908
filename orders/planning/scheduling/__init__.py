"""Dates of a revision: appointments, visits, requested and promised dates.

How long work takes is in `orders.promising`.
"""
