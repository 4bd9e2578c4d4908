"""Addresses of an order: here, and in Temporal's Web UI."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

from api.tmf.tmf622.cancel import cancel_href
from api.tmf.tmf622.request import BASE_PATH, order_href
from orders.model import wire_names


@dataclass(frozen=True, slots=True)
class Links:
    """Base addresses, without trailing slashes, and the namespace of the orders' workflows.

    `api_is_open`: a browser, which brings no token, is answered by the API too.
    """

    api: str
    web_ui: str
    namespace: str = "default"
    api_is_open: bool = False

    def tmf622(self, order_id: str) -> str:
        """The order's TMF622 resource."""
        return order_href(self.api, order_id)

    def cancellation(self, cancellation_id: str) -> str:
        """The TMF622 resource of a cancellation."""
        return cancel_href(self.api, cancellation_id)

    def subscription(self, subscription_id: str) -> str:
        """The TMF622 resource of a subscription to events."""
        return f"{self.api}{BASE_PATH}/hub/{subscription_id}"

    def care(self, order_id: str) -> str:
        """The order in the care API."""
        return f"{self.api}/care/v1/orders/{order_id}"

    def fallout(self, fallout_id: str) -> str:
        """A fallout in the care API."""
        return f"{self.api}/care/v1/fallout/{quote(fallout_id, safe='')}"

    def silo(self, name: str) -> str:
        """A silo in the care API."""
        return f"{self.api}/care/v1/silos/{quote(name, safe='')}"

    def work_item(self, work: str) -> str:
        """A work item in the care API."""
        return f"{self.api}/care/v1/work-items/{quote(work, safe='')}"

    def job(self, job_id: str) -> str:
        """A job that asks many orders, in the care API."""
        return f"{self.api}/care/v1/bulk/{quote(job_id, safe='')}"

    def customer(self, customer_id: str) -> str:
        """Everything about a customer in the care API."""
        return f"{self.api}/care/v1/customers/{quote(customer_id, safe='')}"

    def changes(self, order_id: str) -> str:
        """The order's log of changes, where they are asked for."""
        return f"{self.care(order_id)}/changes"

    def change(self, order_id: str, request_id: str) -> str:
        """One change in the order's log."""
        return f"{self.changes(order_id)}/{quote(request_id, safe='')}"

    def web_ui_of(self, order_id: str) -> str:
        """The order's workflow in Temporal's Web UI."""
        return self._workflow(wire_names.workflow_id(order_id))

    def web_ui_of_job(self, job_id: str) -> str:
        """The job's workflow in Temporal's Web UI."""
        return self._workflow(wire_names.bulk_workflow_id(job_id))

    def web_ui_of_customer(self, customer_id: str) -> str:
        """The workflows of all orders of a customer in Temporal's Web UI."""
        query = quote(f"{wire_names.CUSTOMER_ID}={json.dumps(customer_id, ensure_ascii=False)}", safe="")
        return f"{self.web_ui}/namespaces/{self.namespace}/workflows?query={query}"

    def _workflow(self, workflow_id: str) -> str:
        return f"{self.web_ui}/namespaces/{self.namespace}/workflows/{workflow_id}"
