"""The contract of `PersistenceBackend`: tests that every backend passes.

In a test module, name the class of your tests and say how your backend is opened::

    @pytest.fixture(scope="module")
    def open_backend():
        return lambda folder, clock: MyBackend(folder / "store", clock)


    class TestMyBackend(BackendContract):
        pass

The fixture has class scope or wider. While a backend is being written, a part can be run alone
(``class TestProfiles(ProfileContract)``).
"""

from burndown.testing.contract.agreement import AgreementContract
from burndown.testing.contract.belonging import BelongingContract
from burndown.testing.contract.budgets import BudgetContract
from burndown.testing.contract.cache import CacheContract
from burndown.testing.contract.changelogs import ChangelogContract
from burndown.testing.contract.copying import CopyingContract
from burndown.testing.contract.expiry import ExpiryContract
from burndown.testing.contract.fetching import FetchingContract
from burndown.testing.contract.forgetting import ForgettingContract
from burndown.testing.contract.freshness import FreshnessContract
from burndown.testing.contract.leases import LeaseContract
from burndown.testing.contract.metrics import MetricsContract
from burndown.testing.contract.orders import OrderContract
from burndown.testing.contract.ownership import OwnershipContract
from burndown.testing.contract.patches import PatchContract
from burndown.testing.contract.profiles import ProfileContract
from burndown.testing.contract.project_data import ProjectDataContract
from burndown.testing.contract.queries import QueryContract
from burndown.testing.contract.records import RecordContract
from burndown.testing.contract.refusals import RefusalContract
from burndown.testing.contract.revisions import RevisionContract
from burndown.testing.contract.secrets import SecretContract
from burndown.testing.contract.tasks import TaskContract
from burndown.testing.contract.tasks_and_state import ProgressContract
from burndown.testing.contract.timestamps import TimeContract
from burndown.testing.contract.transactions import TransactionContract
from burndown.testing.contract.values import ValueContract
from burndown.testing.contract.waiting import WaitingContract
from burndown.testing.contract.whole_store import StoreContract
from burndown.testing.controlled_store import OpenBackend

__all__ = [
    "AgreementContract",
    "BackendContract",
    "BelongingContract",
    "BudgetContract",
    "CacheContract",
    "ChangelogContract",
    "CopyingContract",
    "ExpiryContract",
    "FetchingContract",
    "ForgettingContract",
    "FreshnessContract",
    "LeaseContract",
    "MetricsContract",
    "OpenBackend",
    "OrderContract",
    "OwnershipContract",
    "PatchContract",
    "ProfileContract",
    "ProgressContract",
    "ProjectDataContract",
    "QueryContract",
    "RecordContract",
    "RefusalContract",
    "RevisionContract",
    "SecretContract",
    "StoreContract",
    "TaskContract",
    "TimeContract",
    "TransactionContract",
    "ValueContract",
    "WaitingContract",
]


class BackendContract(
    AgreementContract,
    BelongingContract,
    BudgetContract,
    CacheContract,
    ChangelogContract,
    CopyingContract,
    ExpiryContract,
    FetchingContract,
    ForgettingContract,
    FreshnessContract,
    LeaseContract,
    MetricsContract,
    OrderContract,
    OwnershipContract,
    PatchContract,
    ProfileContract,
    ProgressContract,
    ProjectDataContract,
    QueryContract,
    RecordContract,
    RefusalContract,
    RevisionContract,
    SecretContract,
    StoreContract,
    TaskContract,
    TimeContract,
    TransactionContract,
    ValueContract,
    WaitingContract,
):
    """All parts of the contract."""
