"""Reads the catalog from YAML, naming file, path and reason of what is wrong, and keeps the versions in use.

What the entries mean is in `orders.model.catalog`, whether they fit together in `orders.catalog_check`.
"""
