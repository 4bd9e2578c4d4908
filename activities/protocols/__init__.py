"""One module for each protocol that silos speak, and the HTTP that they share. How to add one: docs/extending.md.

What goes round a call, whatever its protocol, is in `activities.calling`.
"""
