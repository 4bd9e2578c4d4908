"""The care API: orders as agents see them, changes, customers. Its bodies and its routes.

TMF resources are in `api.routes`.
"""
