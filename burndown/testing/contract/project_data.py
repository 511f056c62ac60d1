"""Project data comes back as it was saved."""

from typing import Any

from burndown.testing.contract.drawn import json_objects
from burndown.testing.contract.examples import given
from burndown.testing.contract.part import ContractPart
from burndown.testing.controlled_store import Store, same

__all__ = ["ProjectDataContract"]


class ProjectDataContract(ContractPart):
    """The contract of project data."""

    @given(json_objects, json_objects)
    def test_project_data_comes_back_as_it_was_saved(
        self, shared: Store, one: dict[str, Any], other: dict[str, Any]
    ) -> None:
        """Each query has the project data that was saved last."""
        shared.empty().save_query("p", {"id": "r"})
        for data in (one, other):
            shared.save_project_data("p", "q", data)
            assert same(shared.get_project_data("p", "q"), data)
        shared.save_project_data("p", "r", one)
        assert same(shared.get_project_data("p", "q"), other)
