"""What is news to the customer of an order: what they should know, held against what they were told.

As silos are brought to hold what is wanted, customers are brought to know what is so: what differs is told, once.
"""
