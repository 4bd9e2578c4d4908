"""The hands: one module for each silo protocol, and planning. What a workflow has done for it.

The register and the catalog loader are packages of their own.
"""
