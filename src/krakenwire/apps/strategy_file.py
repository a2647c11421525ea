"""Finds the strategy in a Python file."""

from __future__ import annotations

import importlib.util
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType

from krakenwire.errors import ConfigError, KrakenwireError, StrategyError
from krakenwire.trading.strategy import Strategy

__all__ = ["load_strategy"]


def load_strategy(path: str | os.PathLike[str], name: str | None = None) -> type[Strategy]:
    """Run a Python file and return the strategy that it defines.

    Args:
        path: the file; modules beside it can be imported.
        name: of the class, where the file defines several.

    Raises:
        ConfigError: no such file, no strategy in it, or several and no name.
        StrategyError: the file itself raised.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigError(str(path), expected="a Python file with a strategy", found="no such file")
    found = {
        key: value
        for key, value in vars(_module(file)).items()
        if isinstance(value, type) and issubclass(value, Strategy) and value.__module__ == _module_name(file)
    }
    if name is not None and name in found:
        return found[name]
    if name is None and len(found) == 1:
        return next(iter(found.values()))
    expected = "one class that derives from krakenwire.bot.Strategy"
    hint = "Name one of several: FILE:CLASS" if len(found) > 1 and name is None else ""
    raise ConfigError(str(path), expected=expected, found=", ".join(found) or "none", hint=hint)


def _module_name(file: Path) -> str:
    return f"krakenwire_strategy_{file.stem}"


def _module(file: Path) -> ModuleType:
    name = _module_name(file)
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ConfigError(str(file), expected="a Python file, its name ending with .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(file.resolve().parent)
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except KrakenwireError:
        raise
    except Exception as error:
        place = _place(error, file)
        raise StrategyError(file.stem, "import", place, f"{type(error).__name__}: {error}") from error
    finally:
        sys.path.remove(folder)
    return module


def _place(error: Exception, file: Path) -> str:
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)]
    return f"{file}:{lines[-1] if lines else 1}"
