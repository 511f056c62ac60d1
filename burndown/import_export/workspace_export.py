"""Export everything as the JSON files of the old dashboard."""

from pathlib import Path

from burndown.copying import copy_store
from burndown.errors import ImportExportError, PersistenceError
from burndown.files.paths import remove
from burndown.import_export.secrets import refuse_tokens, without_secrets
from burndown.import_export.targets import new_folder
from burndown.legacy import is_temporary
from burndown.models import Entity
from burndown.models.sealer import sealer_of
from burndown.models.sealing import Resealing
from burndown.persistence import Document, PersistenceBackend, resolve_backend
from burndown.persistence.json_backend import JSONBackend

__all__ = ["export_workspace"]


def export_workspace(
    export_path: str | Path,
    *,
    include_secrets: bool = False,
    backend: PersistenceBackend | None = None,
) -> Path:
    """Write everything that is stored as a workspace that the old dashboard opens.

    It appears complete or not at all, and is compared with the store. What the old files cannot
    hold is written to files next to them, so that migrating the workspace gives an equal store.

    Args:
        export_path: the folder to create; the files are in ``profiles`` below it.
        include_secrets: include the Jira tokens. The old dashboard needs them, and stores them in
            plain text; without them they have to be entered there again.
        backend: the store to export; by default the current one.

    Returns:
        The path.

    Raises:
        ImportExportError: there is something at that path, it cannot be written, or a Jira token
            is stored in an unexpected place, such as a description.
    """
    path = Path(export_path)
    store = resolve_backend(backend)
    try:
        with new_folder(path.absolute()) as folder, JSONBackend(folder / "profiles") as files:
            copy_store(store, files, adapt=_in_plain_text if include_secrets else _without_secrets)
            if not include_secrets:
                _refuse_tokens(store, folder)
            # Locks and journals are of this process; an export has none.
            for left_over in filter(lambda each: is_temporary(each.name), files.folder.iterdir()):
                remove(left_over)
    except PersistenceError:
        raise
    except (OSError, ValueError) as error:
        raise ImportExportError(f"The workspace {path} was not written: {error}") from error
    return path


def _in_plain_text(entity: type[Entity], record: Document) -> Document:
    return sealer_of(entity).resealed(record, Resealing.UNSEAL)


def _without_secrets(entity: type[Entity], record: Document) -> Document:
    kept: Document = without_secrets(entity, record)[0]
    return kept


def _refuse_tokens(backend: PersistenceBackend, folder: Path) -> None:
    profiles = backend.list_profiles()
    for path in filter(Path.is_file, folder.rglob("*.json")):
        refuse_tokens(profiles, path.read_bytes(), path.relative_to(folder).as_posix())
