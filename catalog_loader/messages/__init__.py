"""The words of messages to customers: rules and templates in the catalog's folder, and what templates are told."""
