"""Finds what is wrong with a catalog as a whole, before any order meets it.

Reading it from files is for `catalog_loader`.
"""
