"""Forms over the settings of entities, for any user interface.

:func:`fields_of` describes the fields of a form, :func:`form_values` fills it from a document, and
:func:`read_form` returns the changes for ``patch_profile`` or ``patch_query``. Nothing here depends
on a user interface; ``docs/forms.md`` shows how to use it in one.
"""

from burndown.forms.fields import Bounds, FormField, Kind, fields_of
from burndown.forms.values import form_values, read_form

__all__ = ["Bounds", "FormField", "Kind", "fields_of", "form_values", "read_form"]
