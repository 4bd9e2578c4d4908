"""Who is calling and what they may do: tokens, scopes, limits, the access log.

Which orders a caller sees is in `api.http.visibility`.
"""
