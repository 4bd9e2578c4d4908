"""The care console: pages for people, below `/console`, served by the API itself.

A page shows what the care API tells, and asks for it in the same way: it calls the care API's own routes and services,
with the same scopes. What the API does not tell gets no page. How to add one stands in docs/console.md.
"""
