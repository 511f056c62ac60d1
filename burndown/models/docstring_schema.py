"""JSON schemas that describe fields with the docstrings below them, and label them.

The label of a field (``title``) is its name as people write it; ``Field(title=…)`` replaces it. The
docstrings are read when a schema is made. Pydantic's ``use_attribute_docstrings`` reads them
when a class is made, which doubles the time to import the models (32 to 82 ms).
"""

import ast
import inspect
from functools import cache
from itertools import pairwise
from textwrap import dedent

from pydantic import BaseModel, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

__all__ = ["FOR_PEOPLE", "NOT_FOR_PEOPLE", "Described"]

FOR_PEOPLE = "x-for-people"
"""The keyword of JSON schemas that says whether people set a value; absent, they do."""

NOT_FOR_PEOPLE = Field(json_schema_extra={FOR_PEOPLE: False})
"""The mark of a field that programs set: ``Annotated[StrictBool, NOT_FOR_PEOPLE]``."""

_SPELLINGS = {
    word.lower(): word
    for word in ("API", "DevOps", "DORA", "ID", "JQL", "MB", "PERT", "URL", "WIP", "Jira")
}


def _label(name: str) -> str:
    """Return the name of a field as a label: ``pert_factor`` is ``PERT factor``."""
    first, *others = (_SPELLINGS.get(word, word) for word in name.split("_"))
    return " ".join([first[:1].upper() + first[1:], *others])


class Described(BaseModel):
    """A model whose JSON schema describes its fields."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        made = handler(schema)
        properties = handler.resolve_ref_schema(made).get("properties", {})
        docstrings = _docstrings(cls)
        for name, field in cls.model_fields.items():
            described = properties.get(field.alias or name, {})
            described["title"] = field.title or _label(name)
            if name in docstrings:
                described.setdefault("description", docstrings[name])
        return made


@cache
def _docstrings(model: type[BaseModel]) -> dict[str, str]:
    """Return the docstring below each field, those of the base classes included."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if issubclass(base, Described):
            [defined] = ast.parse(dedent(inspect.getsource(base))).body
            for above, below in pairwise(ast.iter_child_nodes(defined)):
                match above, below:
                    case (
                        ast.AnnAssign(target=ast.Name(id=name)),
                        ast.Expr(value=ast.Constant(value=str(text))),
                    ):
                        found[name] = inspect.cleandoc(text)
    return found
