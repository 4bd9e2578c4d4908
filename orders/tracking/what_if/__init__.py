"""What could become of an order: previews, options, and ways to set a fallout right, each tried on a copy.

What is the case is in the modules beside this package.
"""
