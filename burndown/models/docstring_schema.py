"""JSON schemas that describe fields with the docstrings below them.

The docstrings are read when a schema is made. Pydantic's ``use_attribute_docstrings`` reads them
when a class is made, which doubles the time to import the models (32 to 82 ms).
"""

import ast
import inspect
from functools import cache
from itertools import pairwise
from textwrap import dedent

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

__all__ = ["Described"]


class Described(BaseModel):
    """A model whose JSON schema describes its fields."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        made = handler(schema)
        properties = handler.resolve_ref_schema(made).get("properties", {})
        for name, docstring in _docstrings(cls).items():
            field = cls.model_fields.get(name)
            key = name if field is None or field.alias is None else field.alias
            properties.get(key, {}).setdefault("description", docstring)
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
