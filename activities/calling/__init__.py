"""Calls on silos as activities: made together, within what a silo takes, and left alone where it is down.

What a call is by its protocol is in `activities.protocols`.
"""
