"""How far a map is, shown on stderr."""

import sys
import time

__all__ = ()

#: Seconds between two looks of the bar.
_INTERVAL = 0.1
_WIDTH = 30


class Bar:
    """A line that is written anew while a map goes on. `total` is None where nobody knows."""

    def __init__(self, total, file=None):
        self._total = total
        self._file = sys.stderr if file is None else file
        self._begun = time.monotonic()
        self._shown = 0.0

    def __call__(self, ended):
        now = time.monotonic()
        is_last = ended == self._total
        if not is_last and now - self._shown < _INTERVAL:
            return
        self._shown = now
        rate = ended / max(now - self._begun, 1e-9)
        if self._total is None:
            line = f"{ended} calls, {rate:.0f}/s"
        else:
            full = _WIDTH * ended // max(self._total, 1)
            line = f"[{'#' * full}{'.' * (_WIDTH - full)}] {ended}/{self._total}, {rate:.0f}/s"
        print("\r" + line, end="\n" if is_last else "", file=self._file, flush=True)


class _Tqdm:
    def __init__(self, total):
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError('progress="tqdm" needs the package tqdm; progress=True does not') from error
        self._total = total
        self._bar = tqdm(total=total)

    def __call__(self, ended):
        self._bar.update(ended - self._bar.n)
        if ended == self._total:
            self._bar.close()


def progress(option, total):
    """What is to be called with how many calls have ended: None if `option` asks for nothing.

    `option` is True, "tqdm", or a function of the calls that have ended and the total.
    """
    if option is None or option is False:
        return None
    if option is True:
        return Bar(total)
    if option == "tqdm":
        return _Tqdm(total)
    if callable(option):
        return lambda ended: option(ended, total)
    raise ValueError(f'progress is True, "tqdm" or a function, not {option!r}')
