"""From a submitted body to a started workflow, once, whatever is cut short.

What happens to an order after that is in the modules beside this package.
"""
