"""Our backends keep the contract that is shipped."""

import pytest

from burndown.testing import BackendContract
from burndown.testing.contract import (
    PatchContract,
    ProfileContract,
    QueryContract,
    RecordContract,
    RevisionContract,
    SecretContract,
)
from tests.contract.machine import AgreementMachine


class TestContract(BackendContract):
    """Each backend passes all parts, and its sequences of calls contain backups."""

    machine = AgreementMachine


@pytest.mark.parametrize("open_backend", ["sealed"], indirect=True)
class TestSealed(
    PatchContract,
    ProfileContract,
    QueryContract,
    RecordContract,
    RevisionContract,
    SecretContract,
):
    """Where secrets matter, a store that seals them passes as well."""


def test_no_test_of_a_part_hides_another() -> None:
    parts = BackendContract.__bases__
    names = [name for part in parts for name in vars(part) if name.startswith("test_")]
    assert sorted(names) == sorted({*names})
