"""Which code a snapshot belongs to, and whether the code that is loaded can go on with it.

A world keeps one descriptor for each version of a function that ever ran in it, under a small number that
snapshots refer to. A snapshot resumes at the same await, or at none: where no await of the loaded code surely is
the same, the workflow is held.

The rules, first that fits:
1. the same fingerprint and version: the await with the same number;
2. the same key, once on both sides, with the same hidden state and every live variable present;
3. the same label, once on both sides, and the rest as in 2, where the label holds a name that the user chose (a
   timer's), or where the blocks around it differ only by bodies of try statements, which are entered in any case;
4. held.

A label alone says too little: `ctx.sleep(5)` moved from an `if` into its `else` is another await.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from .compiler import Program, Site
from .definition import ROUTINES, Migrate, WorkflowType, routine_name


class Verdict(StrEnum):
    """What becomes of a stored await under the loaded code: one of three ways to go on, or why it is held."""

    KEPT = "kept"
    MOVED = "moved"
    MIGRATED = "migrated"
    GONE = "gone"
    MISSING = "missing variables"
    VERSION = "version"
    UNKNOWN_TYPE = "unknown type"
    HELD = "held"

    @property
    def goes_on(self) -> bool:
        """Whether the workflow resumes."""
        return self in (Verdict.KEPT, Verdict.MOVED, Verdict.MIGRATED)


@dataclass(frozen=True, slots=True)
class Fit:
    """How to go on with a stored frame in the loaded code.

    Attributes:
        program, site: where it resumes.
        arrange: turns the stored values into those of `site`, in its order; None when they fit as they are.
        verdict: kept in the same code, moved to the same await of edited code, or migrated.
    """

    program: Program
    site: Site
    arrange: Callable[[list[Any]], list[Any]] | None
    verdict: Verdict


class HeldError(Exception):
    """No await of the loaded code is surely the stored one; the text says why. Never leaves the package.

    Attributes:
        verdict: the sort of reason; `HELD` for one that no other names.
        missing: the variables that the await now needs and the snapshot lacks.
    """

    def __init__(
        self, reason: str, verdict: Verdict = Verdict.HELD, *, missing: tuple[str, ...] = ()
    ) -> None:
        super().__init__(reason)
        self.verdict = verdict
        self.missing = missing


class CodeBook:
    """The descriptors of a world, by number.

    `fresh` collects the descriptors that the store does not have yet; whoever commits takes them from there.
    `by_token` gives the number of a workflow program that was met by its token; not those of routines.
    """

    def __init__(
        self, types: Mapping[str, WorkflowType[Any, Any]], stored: Mapping[int, dict[str, Any]]
    ) -> None:
        self._types = types
        self._descriptors = dict(stored)
        self.fresh: dict[int, dict[str, Any]] = {}
        self.by_token: dict[int, int] = {}
        self._ids: dict[int, int] = {}
        self._names: dict[tuple[str, str, str, int], int] = {
            _identity(descriptor): number for number, descriptor in stored.items()
        }
        self._fits: dict[tuple[int, int], Fit | Callable[[], HeldError]] = {}
        self._workflow_programs = {id(kind.program): kind for kind in types.values()}
        # Programs are known by id(): keep them alive as long as this book.
        self._keep: list[Program] = [kind.program for kind in types.values()]

    def reload(self, types: Mapping[str, WorkflowType[Any, Any]]) -> None:
        """Go on with other code."""
        self._types = types
        self._fits.clear()
        self._workflow_programs = {id(kind.program): kind for kind in types.values()}
        self._keep += [kind.program for kind in types.values()]

    def number_of(self, program: Program) -> int:
        """Return the number of a program's descriptor, making one at first sight."""
        number = self._ids.get(id(program))
        return self._enter(program) if number is None else number

    def _enter(self, program: Program) -> int:
        descriptor = self._describe(program)
        identity = _identity(descriptor)
        number = self._names.get(identity)
        if number is None:
            number = max(self._descriptors, default=0) + 1
            self._names[identity] = number
            self._descriptors[number] = self.fresh[number] = descriptor
        self._ids[id(program)] = number
        if program.kind == "workflow":
            self.by_token[program.token] = number
        self._keep.append(program)
        return number

    def _describe(self, program: Program) -> dict[str, Any]:
        kind = self._workflow_programs.get(id(program))
        return {
            "kind": program.kind,
            "name": kind.name if kind else routine_name(program),
            "version": kind.version if kind else 1,
            "fingerprint": program.fingerprint,
            "sites": [
                [
                    site.key,
                    site.label,
                    site.line,
                    list(site.variables),
                    list(site.hidden),
                    list(site.hidden_state),
                ]
                for site in program.sites
            ],
        }

    def descriptor(self, number: int) -> dict[str, Any]:
        """Return the stored description of a piece of code."""
        return self._descriptors[number]

    def names(self, number: int, site_number: int) -> list[str]:
        """Return the names of the values of a stored frame, user variables first."""
        site = self._descriptors[number]["sites"][site_number - 1]
        return [*site[3], *site[4]]

    def fit(self, number: int, site_number: int) -> Fit:
        """Return where a stored frame goes on in the loaded code.

        Raises:
            HeldError: nowhere.
        """
        found = self._fits.get((number, site_number))
        if found is None:
            try:
                found = self._find_fit(number, site_number)
            except HeldError as error:
                # Raised anew each time: an error that is kept would grow by a traceback with each raise.
                found = partial(HeldError, str(error), error.verdict, missing=error.missing)
            self._fits[number, site_number] = found
        if not isinstance(found, Fit):
            raise found()
        return found

    def _find_fit(self, number: int, site_number: int) -> Fit:
        descriptor = self._descriptors.get(number)
        if descriptor is None:
            raise HeldError(f"the world holds no description of code number {number}")
        name, version = descriptor["name"], descriptor["version"]
        migrate: Migrate | None = None
        if descriptor["kind"] == "workflow":
            kind = self._types.get(name)
            if kind is None:
                raise HeldError(f"workflow type {name!r} is not registered", Verdict.UNKNOWN_TYPE)
            program, migrate, loaded_version = kind.program, kind.migrate_function, kind.version
        else:
            found = ROUTINES.get(name)
            if found is None:
                raise HeldError(f"routine {name!r} is not loaded", Verdict.UNKNOWN_TYPE)
            program, loaded_version = found, 1
        if program.fingerprint == descriptor["fingerprint"] and version == loaded_version:
            return Fit(program, program.sites[site_number - 1], None, Verdict.KEPT)
        if version != loaded_version and migrate is None:
            reason = f"{name!r} is version {loaded_version}, the snapshot is of version {version}"
            raise HeldError(reason, Verdict.VERSION)
        return _match(descriptor, site_number, program, migrate)


def _identity(descriptor: Mapping[str, Any]) -> tuple[str, str, str, int]:
    return descriptor["kind"], descriptor["name"], descriptor["fingerprint"], descriptor["version"]


def _match(descriptor: dict[str, Any], site_number: int, program: Program, migrate: Migrate | None) -> Fit:
    stored_sites = descriptor["sites"]
    key, label, _line, variables, hidden, hidden_state = stored_sites[site_number - 1]
    held = HeldError(f"await {key} of {descriptor['name']!r} is gone", Verdict.GONE)
    for index, wanted in ((0, key), (1, label)):
        candidates = [site for site in program.sites if (site.key, site.label)[index] == wanted]
        if len(candidates) != 1 or sum(stored[index] == wanted for stored in stored_sites) != 1:
            continue
        site = candidates[0]
        if not (site.key == key or site.named or _untried(site.key) == _untried(key)):
            reason = f"await {key} of {descriptor['name']!r} is gone; {site.key} may be another one"
            held = HeldError(reason, Verdict.GONE)
            continue
        if list(site.hidden_state) != hidden_state:
            held = HeldError(f"the blocks around await {key} of {descriptor['name']!r} have changed")
            continue
        missing = tuple(name for name in site.variables if name not in variables)
        if missing and migrate is None:
            reason = f"await {key} of {descriptor['name']!r} now needs {', '.join(missing)}, which the snapshot lacks"
            held = HeldError(reason, Verdict.MISSING, missing=missing)
            continue
        verdict = Verdict.MOVED if migrate is None else Verdict.MIGRATED
        return Fit(program, site, _arrangement(key, variables, len(hidden), site, migrate), verdict)
    raise held


_TRY_BODY = re.compile(r"(?:^|(?<=/))try[0+]/body/")


def _untried(key: str) -> str:
    """Return a key without the bodies of try statements in its path."""
    return _TRY_BODY.sub("", key)


def _arrangement(
    key: str, stored: list[str], hidden: int, site: Site, migrate: Migrate | None
) -> Callable[[list[Any]], list[Any]]:
    def arrange(values: list[Any]) -> list[Any]:
        named = dict(zip(stored, values, strict=False))
        if migrate is not None:
            named = _migrated(migrate, key, named)
            missing = tuple(name for name in site.variables if name not in named)
            if missing:
                reason = f"migrate gave no {', '.join(missing)} for await {key}"
                raise HeldError(reason, Verdict.MISSING, missing=missing)
        kept = values[len(stored) : len(stored) + hidden]
        return [*(named[name] for name in site.variables), *kept]

    return arrange


def _migrated(migrate: Migrate, key: str, named: dict[str, Any]) -> dict[str, Any]:
    """Call the user's function: one that fails holds its workflow, and must not stop the world."""
    try:
        return dict(migrate(key, named))
    except Exception as error:
        raise HeldError(f"migrate failed for await {key}: {type(error).__name__}: {error}") from error
