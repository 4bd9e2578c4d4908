"""What orders write of themselves: from records to rows, their documents, history and words.

Searching them is in `register.searching`.
"""
