"""What is told of an order in flight: where it is, what has come about, its timeline, what a change would do.

Nothing here moves the order but `observation`, which notes what has come about. How it moves is in `fulfilment`.
"""
