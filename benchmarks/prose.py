"""Random sentences about software, so that issues compress like real ones."""

from random import Random

__all__ = ["description", "summary", "words"]


def words(text: str) -> list[str]:
    """Split a string into words."""
    return text.split()


_THINGS = words(
    """
    broker cluster consumer producer partition offset topic replica leader follower controller
    listener handler scheduler cache session token request response header payload schema record
    batch segment index snapshot checkpoint log buffer thread lock queue timer metric gauge
    client server gateway proxy connection socket certificate password user group role
    permission quota page button dialog form table column filter report chart dashboard export
    import upload download invoice order customer account balance currency address shipment
    warehouse supplier release branch build pipeline container image volume node pod namespace
    secret variable migration backup restore upgrade rollback test fixture mock example document
    setting default timeout retry threshold limit interval window heartbeat rebalance election
    failover archive argument attachment avatar banner branding calendar callback campaign
    catalog channel comment commit compiler contract counter coupon cursor daemon dataset
    deadline decoder discount driver editor encoder endpoint estimate event exchange expression
    feature feed field firewall folder formatter fragment function hash hook inbox installer
    instance iterator job journal kernel keyboard label language layout library license link
    loader machine manifest mapping matrix menu merge message method mirror module monitor
    option package parser patch path payment plugin policy pool port prefix price printer
    process product project prompt protocol query range receipt reducer reference region
    registry relation reminder rule sample scanner scope screen script sensor sequence service
    signal sitemap sprint stage state statement story stream style subscription suffix survey
    symbol task template tenant theme ticket tooltip trace transaction translation tree trigger
    tunnel type unit vendor version view voucher wallet widget worker workflow wrapper zone
    """
)
_DOES = words(
    """
    drops rejects ignores duplicates delays blocks loses returns rewrites truncates overwrites
    forgets reloads closes opens skips counts reports logs hides shows validates parses
    serializes compresses sorts groups moves copies deletes creates updates replaces breaks
    accepts allocates announces archives assigns attaches caches cancels checks clears collects
    commits compares completes confirms connects converts covers decodes defers delivers detects
    disables discards displays doubles empties enables encrypts exceeds expands exports extends
    fetches fills filters finds flushes freezes guards imports inherits keeps links loads locks
    maps marks merges misses names needs notifies obtains orders parks pauses pins plans polls
    prefers prints publishes pulls pushes raises reaches reads rebuilds receives records reduces
    refuses registers releases renames repeats resets resolves resumes retries reuses revokes
    rolls runs samples saves scans schedules selects sends sets signs splits starts stops stores
    swaps tags tests throttles touches traces tracks trims unlocks uses waits wakes warns writes
    """
)
_HOW = words(
    """
    stale slow empty large missing duplicate invalid unexpected internal external remote local
    nested expired unused shared static dynamic pending failed partial idle previous final
    hidden public temporary permanent corrupt negative optional concurrent daily German absolute
    active ancient annual automatic basic binary blank blocked broken busy central cheap clean
    closed cold common complete complex constant current custom dark dead deep direct distant
    double early effective exact extra false fast fatal faulty fixed foreign formal fresh full
    generic global heavy identical implicit inactive initial inner invisible last late lazy
    legal light locked logical long lost main manual mixed mobile monthly narrow native new
    normal numeric odd old open original outer overdue parallel physical plain portable primary
    private random rare raw ready recent recursive redundant regular relative reliable rough
    safe secondary separate serial short silent simple single sorted special spare stable strict
    strong sudden third unique unknown unsafe unsorted upper urgent valid virtual visible weekly
    wide wrong
    """
)
_WHERE = [
    "on startup",
    "after a restart",
    "under load",
    "behind the proxy",
    "in production",
    "on Windows",
    "in the nightly build",
    "since the last release",
    "for new users",
    "with the default settings",
    "once in a while",
    "only in the second region",
    "during the upgrade",
    "when the disk is nearly full",
    "after midnight",
    "for customers in Zürich",
    "without a warning",
    "in the old client",
    "on slow networks",
]
_OPENINGS = [
    "We have seen that",
    "It looks as if",
    "Steps to reproduce:",
    "Expected:",
    "Since yesterday",
    "As agreed,",
    "According to support,",
    "The reason is that",
    "As a workaround",
    "Please check whether",
    "In review we found that",
    "To be discussed:",
    "Acceptance:",
    "A customer reports that",
    "I suspect that",
    "Note that",
]
_CAMEL = [word.capitalize() for word in _THINGS]


def _clause(rng: Random) -> str:
    pick = rng.random
    thing, what = _THINGS[int(pick() * len(_THINGS))], _THINGS[int(pick() * len(_THINGS))]
    how, does = _HOW[int(pick() * len(_HOW))], _DOES[int(pick() * len(_DOES))]
    match int(pick() * 6):
        case 0:
            return f"the {how} {thing} {does} the {what}"
        case 1:
            return f"the {thing} {does} {how} {what}s"
        case 2:
            return f"no {what} is {how} while the {thing} {does} it"
        case 3:
            return f"{how} {thing}s wait for {int(pick() * 900) + 10} ms until a {what} {does} them"
        case 4:
            return f"{_identifier(rng)} {does} the {what}"
        case _:
            return f"a {what} with {int(pick() * 5000)} {thing}s stays {how}"


def _identifier(rng: Random) -> str:
    return f"{rng.choice(_CAMEL)}{rng.choice(_CAMEL)}.{rng.choice(_DOES)}{rng.choice(_CAMEL)}"


def _sentence(rng: Random) -> str:
    shape, clause = rng.random(), _clause(rng)
    if shape < 0.3:
        return f"{rng.choice(_OPENINGS)} {clause}."
    if shape < 0.6:
        return f"{clause[0].upper()}{clause[1:]} {rng.choice(_WHERE)}."
    if shape < 0.8:
        return f"{clause[0].upper()}{clause[1:]}, so {_clause(rng)}."
    return f"{clause[0].upper()}{clause[1:]}."


def _trace(rng: Random) -> str:
    lines = "\n".join(
        f"\tat com.example.{rng.choice(_THINGS)}.{_identifier(rng)}"
        f"({rng.choice(_CAMEL)}.java:{rng.randrange(20, 900)})"
        for _ in range(rng.randrange(2, 7))
    )
    return f"{rng.choice(_CAMEL)}Exception: {_clause(rng)}\n{lines}"


def _log(rng: Random) -> str:
    return "\n".join(
        f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02},"
        f"{rng.randrange(1000):03} {rng.choice(('INFO', 'WARN', 'ERROR'))}"
        f" [{rng.choice(_THINGS)}-{rng.randrange(64)}] {rng.getrandbits(48):012x} {_clause(rng)}"
        for _ in range(rng.randrange(2, 9))
    )


def summary(rng: Random) -> str:
    """Return a random summary of an issue."""
    clause = _clause(rng)
    return (
        f"{clause[0].upper()}{clause[1:]}{' ' + rng.choice(_WHERE) if rng.random() < 0.4 else ''}"
    )


def description(rng: Random) -> str | None:
    """Return random sentences, sometimes with a traceback or a log, or ``None``."""
    if rng.random() < 0.06:
        return None
    text = " ".join(_sentence(rng) for _ in range(1 + min(int(rng.expovariate(1 / 8.5)), 50)))
    shape = rng.random()
    if shape > 0.4:
        return text
    shown = _trace(rng) if shape < 0.2 else _log(rng)
    return f"{text}\r\n\r\n{{noformat}}\r\n{shown}\r\n{{noformat}}"
