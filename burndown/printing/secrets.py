"""The state of secrets."""

from rich.table import Table

from burndown.persistence import Document
from burndown.printing.console import add_row, line, print_table
from burndown.secrets import HOW_TO_SET_A_KEY

__all__ = ["changed_secrets", "plain_text_warning", "secrets_status", "secrets_table"]


def secrets_status(found: Document) -> None:
    """Print the keys in use, and the state of each secret."""
    first, *others = found["keys"] or [None]
    if first is not None:
        line(f"Keys: {', '.join([f'{first} (seals)', *others])}")
    else:
        line(f"No keys: {found['problem'] or 'none is set'}")
    secrets_table("Secrets", found["secrets"])
    if not found["secrets"]:
        line("No secrets are stored")
    plain_text_warning(found)
    locked = [each for each in found["secrets"] if each["state"] == "locked"]
    if locked:
        line(f"Locked: {len(locked)}. Set the key that sealed them, or enter them again")


def plain_text_warning(found: Document) -> None:
    """Print how many secrets are stored in plain text, and how that is changed."""
    number = sum(each["state"] == "in plain text" for each in found["secrets"])
    if number:
        before = "" if found["keys"] else f"{HOW_TO_SET_A_KEY}. Then "
        line(f"Secrets in plain text: {number}. {before}`burndown secrets seal` seals them")


def changed_secrets(found: Document) -> None:
    """Print how much was changed, and which secrets could not be opened."""
    line(f"Changed {found['changed']} profiles, queries and budgets")
    secrets_table("Not changed, since no key opens them, or they look sealed", found["locked"])


def secrets_table(title: str, secrets: list[Document]) -> None:
    """Print the place and state of secrets."""
    table = Table("profile", "query", "secret", "state", title=title)
    for each in secrets:
        add_row(table, each["profile_id"], each["query_id"] or "-", each["path"], each["state"])
    print_table(table)
