"""Working out an amendment's revision and plan, under the catalog version that the order was sold from.

Runs as an activity, though it has no outside effect: workflow code must not depend on catalog files.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.dates.learning import Learned
from activities.dates.visiting import Visiting
from catalog_loader.catalog_files import CatalogStore, UnknownCatalogVersion
from orders.fulfilment.messages import PlanAnswer, PlanQuestion
from orders.model import wire_names
from orders.model.budget import PLAN, compressed_beyond
from orders.model.order import Reason, Rejection
from orders.planning.amend import amended
from orders.planning.scheduling.dates import require_possible_dates
from orders.planning.scheduling.visits import Visit, chosen_anew
from orders.promising.figures import USUAL, Figures, with_figures
from register.recording.documents import Documents


class Planning:
    """The planner, with the catalog versions to plan under, what was learned, and documents that orders may get."""

    def __init__(
        self, catalogs: CatalogStore, documents: Documents, learned: Learned, visiting: Visiting | None = None
    ) -> None:
        self._catalogs = catalogs
        self._learned = learned
        self._documents = documents
        self._visiting = visiting

    @activity.defn(name=wire_names.PLAN_REVISION)
    async def plan_revision(self, question: PlanQuestion) -> PlanAnswer:
        """The next revision with its plan, or every reason why there can be none."""
        answer = await asyncio.to_thread(self._planned, question)
        if self._visiting is None or not question.change.chooses_slots:
            return answer
        chosen = await asyncio.to_thread(newly_chosen, self._catalogs, question, answer)
        taken = await self._visiting.taken(chosen, hold=True)
        return PlanAnswer(reasons=tuple(taken)) if taken else answer

    def _planned(self, question: PlanQuestion) -> PlanAnswer:
        document = question.change.document
        if document is not None and not self._documents.has(question.order_id, document):
            message = f"the register has no document {document} of the order: patch it again"
            return PlanAnswer(reasons=(Reason(code="unknown_document", message=message),))
        try:
            asked_at = question.change.asked_at
            now = datetime.fromisoformat(asked_at) if asked_at else datetime.now(UTC)
            return answer_question(self._catalogs, question, now, self._learned.figures())
        except UnknownCatalogVersion as error:
            raise ApplicationError(str(error), type="UnknownCatalogVersion", non_retryable=True) from error


def newly_chosen(catalogs: CatalogStore, question: PlanQuestion, answer: PlanAnswer) -> list[Visit]:
    """The visits at appointments that an amendment makes.

    Raises:
        UnknownCatalogVersion: if the version that the order was sold from is not kept any more.
    """
    if answer.revision is None or answer.plan is None:
        return []
    catalog = catalogs.load(question.catalog)
    return chosen_anew(catalog, answer.revision, answer.plan, question.revision.appointments)


def answer_question(
    catalogs: CatalogStore, question: PlanQuestion, now: datetime, figures: Figures = USUAL
) -> PlanAnswer:
    """Work out an amendment that is asked for now: for the workflow, or for a preview of it.

    Raises:
        UnknownCatalogVersion: if the version that the order was sold from is not kept any more.
    """
    catalog = catalogs.load(question.catalog)
    try:
        require_possible_dates(question.revision, question.change, now)
        revision, plan = amended(
            catalog,
            question.order_id,
            question.revision,
            question.change,
            question.advancement,
            question.baseline,
            question.baseline_plan,
        )
    except Rejection as rejection:
        return PlanAnswer(reasons=rejection.reasons)
    answer = PlanAnswer(revision=revision, plan=with_figures(plan, revision, catalog, figures, now))
    too_large = compressed_beyond(PLAN, answer)
    return answer if too_large is None else PlanAnswer(reasons=(too_large,))
