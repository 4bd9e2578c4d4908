"""What the `orderpipe` commands run. No part of a deployment imports it."""
