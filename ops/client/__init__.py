"""Commands that use the API as any client does: submit and watch.

They know nothing of Temporal or the register.
"""
