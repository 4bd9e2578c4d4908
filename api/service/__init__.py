"""All that talks to Temporal, and what the API asks of the register: submitting, asking and changing orders.

Knows no HTTP: requests and answers are the core's.
"""
