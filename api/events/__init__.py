"""Events to subscribers: subscriptions, what an event holds, sending it, and where a callback may lead.

The outbox itself is in `register`.
"""
