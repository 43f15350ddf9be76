"""Why a target is missed: reasons.toml, written by hand, read at every run."""

import tomllib
from pathlib import Path

PLACE = Path(__file__).parents[1] / "reasons.toml"


def read():
    """The reasons by the names of the row and the peer; `*` stands for every peer.

    Raises ValueError for a row or a peer that does not exist.
    """
    from .rows import ROWS

    reasons = tomllib.loads(PLACE.read_text())
    peers = {row.name: row.peers for row in ROWS}
    for row, texts in reasons.items():
        for peer in texts:
            if row not in peers or peer != "*" and peer not in peers[row]:
                raise ValueError(f"{PLACE.name}: there is no row {row!r} with the peer {peer!r}")
    return reasons


def reason(reasons, row, peer):
    texts = reasons.get(row, {})
    return texts.get(peer, texts.get("*", "not known yet"))
