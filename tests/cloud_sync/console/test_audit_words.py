"""Every act of the audit trail, and everything that it is about, has a word: read from the source of the server."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cloud_sync.server
import control.permits
from cloud_sync.server.console import labels
from control.permits.transitions import Action

SERVER = Path(cloud_sync.server.__file__).parent
WRITERS = ("write_audit", "note_access")
STEPS_OF = "application_"  # the steps of an application are written as this and the step's name
FEWEST_ACTS = 90

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """One file: the function that each call stands in, and its calls by the name that is called."""

    path: Path
    calls: dict[str, list[tuple[ast.Call, Function | None]]]
    functions: dict[str, Function]


def read(path: Path) -> Module:
    module = Module(path, {}, {})

    def walk(node: ast.AST, inside: Function | None) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            module.functions[node.name] = inside = node
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            module.calls.setdefault(name, []).append((node, inside))
        for child in ast.iter_child_nodes(node):
            walk(child, inside)

    walk(ast.parse(path.read_text(encoding="utf-8")), None)
    return module


@cache
def modules() -> tuple[Module, ...]:
    return tuple(read(path) for path in sorted(SERVER.rglob("*.py")))


def argument(call: ast.Call, function: Function, name: str) -> ast.expr | None:
    """What a call gives for a parameter."""
    by_name = {one.arg: one.value for one in call.keywords}
    positional = [one.arg for one in (*function.args.posonlyargs, *function.args.args)]
    if name in by_name or name not in positional:
        return by_name.get(name)
    place = positional.index(name)
    return call.args[place] if place < len(call.args) else None


def values(node: ast.expr, inside: Function | None, module: Module) -> Iterator[tuple[ast.expr, Function | None]]:
    """What an expression may be, and where: names are followed to their assignments, parameters to who calls."""
    if isinstance(node, ast.IfExp):
        yield from values(node.body, inside, module)
        yield from values(node.orelse, inside, module)
    elif not isinstance(node, ast.Name) or inside is None:
        yield node, inside
    else:
        yield from assigned(node.id, inside, module)
        for call, caller in module.calls.get(inside.name, []):
            given = argument(call, inside, node.id)
            if given is not None:
                yield from values(given, caller, module)


def assigned(name: str, inside: Function, module: Module) -> Iterator[tuple[ast.expr, Function | None]]:
    for one in ast.walk(inside):
        for target in one.targets if isinstance(one, ast.Assign) else ():
            if isinstance(target, ast.Name) and target.id == name:
                yield from values(one.value, inside, module)
            elif isinstance(target, ast.Tuple):
                names = [part.id if isinstance(part, ast.Name) else "" for part in target.elts]
                for found, there in values(one.value, inside, module) if name in names else ():
                    if isinstance(found, ast.Tuple):
                        yield from values(found.elts[names.index(name)], there, module)


def steps_of_applications() -> set[str]:
    """What `Change.action` may say: the steps, and how an application begins."""
    source = read(Path(control.permits.__file__).parent / "application.py")
    begun = {
        call.args[2].value
        for call, _ in source.calls["Change"]
        if len(call.args) > 2 and isinstance(call.args[2], ast.Constant)
    }
    return begun | {one.value for one in Action}


def codes_of(node: ast.expr, inside: Function | None, module: Module) -> set[str]:
    """The codes that an expression stands for; "" where it cannot be told."""
    codes: set[str] = set()
    for one, there in values(node, inside, module):
        if isinstance(one, ast.Constant):
            codes.add(str(one.value))
        elif isinstance(one, ast.Tuple):
            codes |= codes_of(one.elts[0], there, module)
        elif isinstance(one, ast.JoinedStr) and ast.unparse(one.values[0]) == repr(STEPS_OF):
            codes |= {STEPS_OF + step for step in steps_of_applications()}
        else:
            codes.add("")
    return codes or {""}


def written(parameter: str) -> dict[str, set[str]]:
    """Where each code of `action` or `subject` is written, by code; what cannot be told stands under ""."""
    found: dict[str, set[str]] = {}
    signatures = {name: one.functions[name] for one in modules() for name in WRITERS if name in one.functions}
    for module in modules():
        for writer in WRITERS:
            for call, inside in module.calls.get(writer, []):
                if inside is not None and inside.name in WRITERS:
                    continue  # what this one is given is read from its own callers
                node = argument(call, signatures[writer], parameter)
                for code in codes_of(node, inside, module) if node is not None else {""}:
                    found.setdefault(code, set()).add(f"{module.path.name}:{call.lineno}")
    return found


def test_every_act_that_is_written_has_a_word() -> None:
    acts = written("action")
    assert "" not in acts, f"no act can be told at {acts['']}"
    assert {code: acts[code] for code in acts.keys() - labels.AUDIT_ACTION.keys()} == {}
    assert len(acts) >= FEWEST_ACTS


def test_everything_that_an_act_is_about_has_a_word() -> None:
    subjects = written("subject")
    assert "" not in subjects, f"no subject can be told at {subjects['']}"
    assert {code: subjects[code] for code in subjects.keys() - labels.SUBJECT.keys()} == {}
