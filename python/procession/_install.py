"""Putting procession in the place of `multiprocessing`, and taking it out.

`install` changes what `multiprocessing` *makes*, never its classes: its contexts become ours in place, so
that contexts and functions that others captured before make our objects too. A *class* that was captured
before, such as `from multiprocessing.pool import Pool`, stays stock; it works with our locks, and
`install` warns of it.
"""

import os
import sys
import warnings

import multiprocessing
from multiprocessing import context as _stock

__all__ = ["install", "uninstall"]

#: Set to anything but "" or "0" to make `install` and `python -m procession` do nothing.
DISABLE = "PROCESSION_DISABLE"

_CLASSES = {
    "pool": ("Pool",),
    "queues": ("Queue", "JoinableQueue", "SimpleQueue"),
    "synchronize": ("Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition", "Event", "Barrier"),
}  # fmt: skip

_FACTORIES = (
    "Manager", "Pipe", "Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Event", "Barrier",
    "Queue", "JoinableQueue", "SimpleQueue", "Pool", "RawValue", "RawArray", "Value", "Array",
)  # fmt: skip

# What was there before: None while procession is not installed.
_before = None


def is_installed():
    return _before is not None


def is_disabled():
    return os.environ.get(DISABLE, "0") not in ("", "0")


def install():
    """Has `multiprocessing` make procession's objects, in this process and in its children.

    Calling it again changes nothing. Where the native module does not load (a sub-interpreter, another
    platform) stock stays in place, with a `RuntimeWarning`; also with PROCESSION_DISABLE=1, without one.
    """
    if _put_in_place():
        _warn_of_captured()


def install_as_in_parent():
    """The same in a child. What its fork server had imported before is stock's, and no reason for a warning: nobody can
    install it there."""
    _put_in_place()


def _put_in_place():
    global _before
    if is_installed() or is_disabled():
        return False
    try:
        from . import _core  # noqa: F401
    except ImportError as error:
        warnings.warn(f"multiprocessing stays as it is: {error}", RuntimeWarning, stacklevel=3)
        return False
    from . import context as ours

    # Libraries have contexts of their own beside these.
    stock = {method: _stock._concrete_contexts[method] for method in ours._concrete_contexts}
    default = _stock._default_context
    _before = {
        "classes": {method: type(context) for method, context in stock.items()},
        "default": type(default),
        "names": {name: getattr(multiprocessing, name) for name in multiprocessing.__all__},
        "code": {name: getattr(_stock.BaseContext, name).__code__ for name in _FACTORIES},
        "contexts": dict(ours._concrete_contexts),
    }
    for method, context in stock.items():
        context.__class__ = type(ours._concrete_contexts[method])
    ours._concrete_contexts.update(stock)
    default.__class__ = ours.DefaultContext
    for name in multiprocessing.__all__:
        setattr(multiprocessing, name, getattr(default, name))
    for name in _FACTORIES:
        _redirect(name)
    return True


def uninstall():
    """Puts `multiprocessing` back. Objects that were made go on working."""
    global _before
    if not is_installed():
        return
    from . import context as ours

    for method, kind in _before["classes"].items():
        _stock._concrete_contexts[method].__class__ = kind
    ours._concrete_contexts.update(_before["contexts"])
    _stock._default_context.__class__ = _before["default"]
    for name, value in _before["names"].items():
        setattr(multiprocessing, name, value)
    for name, code in _before["code"].items():
        getattr(_stock.BaseContext, name).__code__ = code
    _before = None


def _redirect(name):
    """Has the bound methods that others captured find the method of the context's class of today.

    They hold the function of the base class. Its code is exchanged for one that asks whether the context
    is one of ours; if not (a library has contexts of its own), stock's code runs as before.
    """
    function = getattr(_stock.BaseContext, name)
    original = type(function)(
        function.__code__, function.__globals__, name, function.__defaults__, function.__closure__
    )
    original.__kwdefaults__ = function.__kwdefaults__
    _ORIGINALS[name] = original
    function.__code__ = _TEMPLATES[name].__code__


_ORIGINALS = {}


def _make(context, name, *args, **kwargs):
    from .context import _Factories

    if isinstance(context, _Factories):
        return getattr(context, name)(*args, **kwargs)
    return _ORIGINALS[name](context, *args, **kwargs)


def _templates():
    # The code runs with the globals of multiprocessing.context, and must have the arguments, the
    # defaults and the (empty) closure of the function that it replaces.
    import inspect

    templates = {}
    for name in _FACTORIES:
        parameters = list(inspect.signature(getattr(_stock.BaseContext, name)).parameters.values())
        call = []
        for parameter in parameters[1:]:
            star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
            key = f"{parameter.name}=" if parameter.kind == parameter.KEYWORD_ONLY else star
            call.append(key + parameter.name)
        signature = inspect.Signature(parameters)
        source = (
            f"def {name}{signature}:\n"
            f"    from procession._install import _make\n"
            f"    return _make({', '.join(['self', repr(name), *call])})\n"
        )
        scope = {}
        exec(source, scope)
        templates[name] = scope[name]
    return templates


class _Templates(dict):
    """Made at the first use: `inspect` takes longer to import than the rest of the package."""

    def __missing__(self, name):
        self.update(_templates())
        return self[name]


_TEMPLATES = _Templates()


def _warn_of_captured():
    """Names the modules that hold a class of stock from before, which stays stock there."""
    found = []
    for module_name, names in _CLASSES.items():
        home = sys.modules.get(f"multiprocessing.{module_name}")
        if home is None:
            continue
        classes = {name: getattr(home, name) for name in names if hasattr(home, name)}
        for user, module in list(sys.modules.items()):
            top = user.partition(".")[0]
            if top in sys.stdlib_module_names and user != "__main__" or top == "procession":
                continue
            space = getattr(module, "__dict__", {})
            found += [
                f"{user}.{name}" for name, value in list(space.items())
                if any(value is kind for kind in classes.values())
            ]  # fmt: skip
    if found:
        warnings.warn(
            "these classes were imported before procession.install() and stay multiprocessing's own: "
            + ", ".join(sorted(found)),
            RuntimeWarning,
            stacklevel=3,
        )
