"""Jinja's sandbox with an end: a template that would run or grow without one fails, whoever wrote it.

Each rendering has a budget of characters. All that is written or made of texts is charged, and each turn of a loop and
each call with a little; one step that could outgrow all of it alone (`*`, `|center`, `|join`) is refused before it is
done. Known limit: it holds off mistakes and crude malice, and is no wall around a template of an enemy's.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import wraps
from itertools import chain
from typing import Any, cast

import jinja2
from jinja2 import nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

# Characters that one template may write; a notice with many recipients may be longer by so many for each.
BUDGET = 1_000_000
FOR_EACH = 10_000
# What a turn of a loop or a call costs, besides the text in it.
TURN = 10
# The longest number, in bits; a size in octets has 63.
LONGEST_NUMBER = 4096

# Filters whose numbers say how long the result is to be.
_WIDENING = {"batch", "center", "indent", "round", "slice", "tojson"}
_WIDE = re.compile(r"%(?:\([^)]*\))?[-+ #0.\d]*(?:\d{5}|\*)")
_CHARGED, _TURNS = "(charged)", "(turns)"

_left: ContextVar[list[int] | None] = ContextVar("left", default=None)


class BoundlessError(Exception):
    """A template does more than a notice needs; the text says what would be right."""


def render(template: jinja2.Template, facts: Mapping[str, object]) -> str:
    """Return the template filled in. Raises BoundlessError, and whatever a template can raise."""
    entries = sum(len(each) for each in facts.values() if isinstance(each, list | tuple))
    token = _left.set([BUDGET + FOR_EACH * entries])
    try:
        return template.render(facts)
    finally:
        _left.reset(token)


def _charge(much: int) -> None:
    left = _left.get()
    if left is None:
        return
    left[0] -= much
    if left[0] < 0:
        raise BoundlessError(f"writes or repeats too much; a template may write {BUDGET} characters")


def _charged(value: Any) -> Any:
    _charge(TURN + _weight(value))
    return value


@jinja2.pass_context
def _written(_: Context, value: Any) -> Any:
    """Charge what is written; with the context, or Jinja would call it once, when it reads the template."""
    return _charged(value)


@jinja2.pass_context
def _turns(_: Context, things: Iterable[Any], cost: int) -> Iterator[Any]:
    for thing in things:
        _charge(cost)
        yield thing


def _weight(value: Any) -> int:
    """Return how long a value is as text; past the budget, that it is past it."""
    total, waiting = 0, [value]
    while waiting and total <= BUDGET:
        each = waiting.pop()
        total += _length(each)
        if isinstance(each, list | tuple):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()
    return sys.maxsize if waiting else total


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str | bytes | list | tuple | dict) else 0


def _check_growth(values: Iterable[Any], *, numbers: bool) -> None:
    """Refuse what could make more of `values` than the budget; with `numbers`, these are lengths, too."""
    given = list(values)
    lengths = [abs(each) if numbers and isinstance(each, int) else _length(each) for each in given]
    longest, second = [*sorted(lengths, reverse=True), 0, 0][:2]
    if longest * max(second, 1) + sum(map(_weight, given)) > BUDGET:
        raise BoundlessError(f"makes a text that is too long; a template may write {BUDGET} characters")


def _check_format(text: object) -> None:
    if isinstance(text, str) and _WIDE.search(text):
        raise BoundlessError("a width in a format has at most four digits, and is no *")


def _guarded(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
    takes_context = hasattr(work, "jinja_pass_arg")

    @wraps(work)
    def guarded(*args: Any, **named: Any) -> Any:
        context, (value, *more) = args[:takes_context], args[takes_context:]
        if name == "format":
            _check_format(value)
        if name == "join":
            value = list(value)
        # The value itself is no width.
        _check_growth([*_no_number(value), *more, *named.values()], numbers=name in _WIDENING)
        return _charged(work(*context, value, *more, **named))

    return guarded


def _no_number(value: Any) -> list[Any]:
    return [] if isinstance(value, int) else [value]


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """The sandbox; only what `render` fills in has a budget."""

    intercepted_binops: frozenset[str] = frozenset({"+", "*", "**", "%"})

    def __init__(self, **options: Any) -> None:
        super().__init__(finalize=_written, **options)
        self.filters = {name: _guarded(name, work) for name, work in self.filters.items()}
        self.filters |= {_CHARGED: _charged, _TURNS: _turns}
        del self.globals["lipsum"]

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, int) and isinstance(right, int)
        if operator == "%":
            _check_format(left)
        elif operator == "*" and not numbers:
            _check_growth((left, right), numbers=True)
        elif numbers and operator in {"*", "**"}:
            bits = left.bit_length() + right.bit_length() if operator == "*" else left.bit_length() * abs(right)
            if bits > LONGEST_NUMBER:
                raise BoundlessError("makes a number that is too large")
        return _charged(super().call_binop(context, operator, left, right))

    def call(__self, __context: Context, __obj: Any, *args: Any, **named: Any) -> Any:  # noqa: N805  # Jinja's names
        owner = getattr(__obj, "__self__", None)
        if isinstance(owner, str | bytes | int | float | list | tuple | dict):
            _check_growth([*_no_number(owner), *args, *named.values()], numbers=True)
        return _charged(super().call(__context, __obj, *args, **named))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        # Its widths can be arguments; |format does the same.
        return attr not in {"format", "format_map"} and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> None:
        """Leave str.format to `is_safe_attribute`."""

    def _generate(self, source: nodes.Template, *args: Any, **named: Any) -> str:
        """Write the code of a template, in which loops and `~` are charged."""
        for loop in list(source.find_all(nodes.For)):
            cost = TURN + sum(len(each.data) for part in loop.body for each in _literal(part))
            loop.iter = self._filtered(loop.iter, _TURNS, nodes.Const(cost, lineno=loop.lineno, environment=self))
        for made in list(source.find_all(nodes.Concat)):
            made.nodes = [self._filtered(nodes.Concat(made.nodes, lineno=made.lineno, environment=self), _CHARGED)]
        return super()._generate(source, *args, **named)

    def _filtered(self, node: nodes.Node, name: str, *args: nodes.Expr) -> nodes.Filter:
        return nodes.Filter(
            cast("nodes.Expr", node), name, list(args), [], None, None, lineno=node.lineno, environment=self
        )


def _literal(node: nodes.Node) -> Iterator[nodes.TemplateData]:
    return chain([node] if isinstance(node, nodes.TemplateData) else [], node.find_all(nodes.TemplateData))
