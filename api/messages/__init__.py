"""Messages to customers on their way: to whom and how, in which words, and handing them over.

What is news is decided in `orders.news`; what is on its way, and what was sent, is in the register.
"""
