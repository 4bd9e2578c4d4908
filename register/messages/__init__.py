"""Messages to customers: what orders have to tell them, what is on its way, and what was sent, word for word."""
