"""The register: orders in SQL, for longer than Temporal keeps them, and the records that are nowhere else.

register = Register(settings.register_address)
register.prepare()
register.records.find("web-51210a3f6660")
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import URL

from register.bulk.jobs import BulkRegister
from register.cancellations import Cancellations
from register.console_sessions import ConsoleSessions
from register.demand.capacities import Capacities
from register.demand.counting import Demands
from register.demand.visits import Visits
from register.durations import Durations
from register.engine import Database
from register.events.deliveries import Deliveries
from register.events.subscriptions import Subscriptions
from register.fallout.people import FalloutRegister
from register.installed.products import Line, Products
from register.jeopardy import Jeopardies
from register.messages.news import News
from register.messages.preferences import PreferencesRegister
from register.messages.reading import Told
from register.messages.sending import Sending
from register.recording.documents import Documents
from register.recording.history import History
from register.recording.records import Records
from register.recording.terms import Terms
from register.saved_views import SavedViews
from register.searching.search import Search
from register.silos import Silos
from register.submissions import Submissions
from register.watching import ChangedOrders
from register.work_items.register import WorkItems


class Register:
    """All of the register behind one SQLAlchemy URL. Safe to use from several threads, and by several processes.

    Every use may raise `sqlalchemy.exc.DBAPIError`, if the database is locked or cannot be reached.
    """

    def __init__(self, url: str | URL, *, busy_timeout: timedelta = timedelta(seconds=5)) -> None:
        """Connect to nothing yet. `busy_timeout` is how long SQLite waits for a lock that another process holds."""
        self.database = Database(url, busy_timeout=busy_timeout)
        self.records = Records(self.database)
        self.documents = Documents(self.database)
        self.submissions = Submissions(self.database, self.records)
        self.history = History(self.database)
        self.durations = Durations(self.database)
        self.products = Products(self.database)
        self.line = Line(self.database)
        self.search = Search(self.database)
        self.terms = Terms(self.database)
        self.fallout = FalloutRegister(self.database)
        self.jeopardies = Jeopardies(self.database)
        self.silos = Silos(self.database)
        self.demands = Demands(self.database)
        self.visits = Visits(self.database)
        self.capacities = Capacities(self.database)
        self.work_items = WorkItems(self.database)
        self.bulk = BulkRegister(self.database, self.search)
        self.cancellations = Cancellations(self.database)
        self.subscriptions = Subscriptions(self.database)
        self.deliveries = Deliveries(self.database)
        self.news = News(self.database)
        self.sending = Sending(self.database)
        self.told = Told(self.database)
        self.preferences = PreferencesRegister(self.database)
        self.changed_orders = ChangedOrders(self.database)
        self.console_sessions = ConsoleSessions(self.database)
        self.saved_views = SavedViews(self.database)

    def prepare(self) -> None:
        """Create the tables or bring them up to date; see `Database.prepare`."""
        self.database.prepare()

    def close(self) -> None:
        """Close all connections."""
        self.database.close()
