"""Events on their way to subscribers, and who subscribed to them.

Sending them is in `api.events`.
"""
