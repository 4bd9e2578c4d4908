"""The hands: what a workflow has done for it. Each silo protocol, calls on silos, planning, and dates.

The register and the catalog loader are packages of their own.
"""
