"""From what a customer asks for to a revision with its plan: capture, amendment, what is installed, dates.

Needs the catalog, so it runs outside workflow code: in the API, or in an activity.
"""
