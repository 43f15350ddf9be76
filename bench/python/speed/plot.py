"""The picture: how many times as fast as each peer, row by row."""

from .rows import LISTS, ONE_COPY, ROWS, TOLIST
from .sides import FUTURES, STOCK

COLOURS = {
    STOCK: "#1f3d5a", LISTS: "#6b8fb3", ONE_COPY: "#c0c0c0", TOLIST: "#d8b4a0", FUTURES: "#3f7cac", "faster-fifo": "#d1495b",
    "billiard": "#edae49", "multiprocess": "#66a182", "loky": "#8d6a9f", "joblib": "#b07156",
    "mpire": "#7f7f7f", "pebble": "#2f9599",
}  # fmt: skip


def draw(measured, path):
    """Writes the PNG."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import FuncFormatter

    rows = {row.name: row for row in ROWS}
    figure, axes = pyplot.subplots(figsize=(11, 0.46 * len(measured) + 1.6), dpi=120)
    shown = {}
    for place, one in enumerate(measured):
        row, mine = rows[one.name], one.ours.middle()
        for peer in one.peers:
            its = peer.middle()
            if not (mine and its):
                continue
            colour = COLOURS[peer.name]
            speed = row.unit.speed(mine.value, its.value)
            is_stock = peer.name == STOCK
            shown[peer.name] = axes.scatter(
                speed, place, s=70 if is_stock else 34, color=colour, zorder=4 if is_stock else 3
            )
            if is_stock and row.peers[STOCK]:
                shown["target against multiprocessing"] = axes.scatter(
                    row.peers[STOCK].factor, place, marker="|", s=220, color="black", zorder=2
                )
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}×"))
    axes.set_yticks(range(len(measured)), [rows[one.name].work for one in measured])
    axes.invert_yaxis()
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("procession: times as fast as the peer (right of 1× it is ahead)")
    figure.legend(shown.values(), shown.keys(), loc="upper center", ncols=6, fontsize=8, frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.7 / figure.get_figheight()))
    figure.savefig(path)
