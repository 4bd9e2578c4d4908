"""The register's tables, by what they are about.

Reading and writing them is in the modules beside this package.
"""
