"""What all routes share: dependencies, lists with pages, and whose orders a caller sees.

No route lives here.
"""
