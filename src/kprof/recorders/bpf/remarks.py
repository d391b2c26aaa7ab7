"""What a user must be told of a recording, from its accounting."""

from typing import Any


def remarks(tallies: dict[str, Any], choice: str) -> list[str]:
    """Return lines, none of them if all went well.

    Args:
        tallies: The accounting at the end, as an engine gives it.
        choice: Which stacks were copied and which followed, if that was chosen; else empty.
    """
    told = [
        f"{event['allocated']:,} allocations, {event['freed']:,} of them freed;"
        f" {event['foreign']:,} frees of what was allocated before the recording"
        f"{' or had no room' if event['no_room'] else ''}"
        for event in tallies["events"]
        if "allocated" in event
    ]
    if choice:
        told.append(f"stacks: {choice}")
    if untracked := tallies["untracked"]:
        told.append(f"{untracked:,} children are not recorded: too many processes at once")
    if lost := sum(event["stacks_lost"] for event in tallies["events"]):
        told.append(f"{lost:,} stacks are not there, for lack of room; they are marked [truncated]")
    return told
