"""Reads an operator's templates before any notice needs them, and says what is wrong where: one line a mistake.

Each is parsed, its names are compared with the facts that it will have, and every notice is written with it about
samples. What passes here may still fail on some fact of tomorrow; then ours is sent (`wording`).
"""

import traceback
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

import jinja2
from jinja2 import meta, nodes

from smtpd_service.domain.language import LANGUAGES
from smtpd_service.domain.notice import Letterhead
from smtpd_service.outbound.bounds import BoundlessError, render
from smtpd_service.outbound.samples import cases
from smtpd_service.outbound.wording import KINDS, environment, shipped
from smtpd_service.settings import ConfigError, Settings

NAMES = ("incident", "helpful", "delivered", "receipt", "warning")
_LETTERHEAD = Letterhead("mx.agency.example", "Mail Delivery")


def proofread(settings: Settings) -> None:
    """Do nothing where the templates can be used. Raises ConfigError with the first mistake."""
    first, *more = mistakes(settings) or [""]
    if first:
        hint = f" (and {len(more)} more; see: pulsebox config check)" if more else ""
        raise ConfigError(f"{first}{hint}")


def mistakes(settings: Settings) -> list[str]:
    """Return what is wrong in the folder that the settings name, a line a mistake; nothing where they name none."""
    folder = settings.beside(settings.outbound.templates)
    if folder is None:
        return []
    if not folder.is_dir():
        return [f"{folder}: no such folder; write one with: pulsebox bounce templates --to {folder}"]
    try:
        found = [mistake for file in _entries(folder) for mistake in _read(file, folder)]
    except OSError as error:
        return [f"{error.filename}: {error.strerror}"]
    return found or list(dict.fromkeys(_tried(folder)))


def _entries(folder: Path) -> Iterator[Path]:
    """Yield what an operator has put there, but the folders of our languages: what lies in them."""
    for each in sorted(folder.iterdir()):
        if each.name in LANGUAGES and each.is_dir():
            yield from sorted(file for file in each.iterdir() if not _is_hidden(file))
        elif not _is_hidden(each):
            yield each


def _is_hidden(file: Path) -> bool:
    """Tell what an editor or git has left."""
    return file.name.startswith(".")


def _read(file: Path, folder: Path) -> Iterator[str]:
    """Yield what can be said of one file without its facts."""
    name = file.relative_to(folder).as_posix()
    if name not in shipped() and file.is_dir():
        yield f"{file}: no such folder; templates lie in {_listed(LANGUAGES)}"
        return
    if name not in shipped():
        close = get_close_matches(name, shipped(), n=1)
        ours = f"ours are <language>/<notice>.<kind>, in {_listed(LANGUAGES)}"
        right = f"did you mean {close[0]}?" if close else ours
        yield f"{file}: no such template; {right}"
        return
    if not file.is_file():
        what = "a folder" if file.is_dir() else "a link to nothing" if not file.exists() else "no file"
        yield f"{file}: is {what}; a template is a file with text"
        return
    try:
        source = file.read_text(encoding="utf-8")
        parsed = environment(str(folder)).parse(source)
        # Filters and tests are looked up here only.
        environment(str(folder)).compile(source, raw=True)
    except jinja2.TemplateSyntaxError as error:
        yield f"{file}:{error.lineno}: {error.message}"
    except UnicodeDecodeError:
        yield f"{file}: is not UTF-8"
    except OSError as error:
        yield f"{file}: {error.strerror}"
    except Exception as error:  # too deep, or a number too long for Jinja
        yield f"{file}: {_said(error)}"
    else:
        yield from _names(parsed, file, facts_of(name))


def facts_of(template: str) -> frozenset[str]:
    """Return the facts that a template always has; of the frame those that each notice has."""
    name = template.rpartition("/")[2].partition(".")[0]
    given = [
        facts.keys()
        for each in (NAMES if name == "frame" else (name,))
        for facts in cases(each, _LETTERHEAD, LANGUAGES[0])
    ]
    return frozenset.intersection(*map(frozenset, given)) | {"language"}


def _names(parsed: nodes.Template, file: Path, facts: frozenset[str]) -> Iterator[str]:
    """Yield each name that stands for nothing, a branch that is seldom taken too."""
    unknown = meta.find_undeclared_variables(parsed) - facts - environment("").globals.keys()
    for node in parsed.find_all(nodes.Name):
        if node.name in unknown and node.ctx == "load":
            close = get_close_matches(node.name, facts, n=1)
            right = f"did you mean {close[0]}?" if close else f"there are {_listed(sorted(facts))}"
            yield f"{file}:{node.lineno}: no fact is called {node.name}; {right}"


def _tried(folder: Path) -> Iterator[str]:
    """Yield what goes wrong when each notice is written."""
    # With a memory of its own: what was read before may have been mended.
    trying = environment(str(folder)).overlay(cache_size=100)
    for name in NAMES:
        for language in LANGUAGES:
            for kind in KINDS:
                yield from _written(trying, f"{language}/{name}.{kind}", folder)


def _written(trying: jinja2.Environment, template: str, folder: Path) -> Iterator[str]:
    language, _, name = template.partition("/")
    for facts in cases(name.partition(".")[0], _LETTERHEAD, language):
        try:
            said = render(trying.get_template(template), {"language": language, **facts})
        except BoundlessError as error:
            yield f"{_place(error, folder) or folder / template}: {error}"
            return
        except Exception as error:  # whatever an operator wrote
            yield f"{_place(error, folder) or folder / template}: {_said(error)}"
        else:
            if not said.strip():
                yield f"{folder / template}: says nothing; write at least one word"


def _place(error: Exception, folder: Path) -> str | None:
    """Return the file and line of the operator's that an error came from: Jinja puts them into the trace."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).is_relative_to(folder)]
    return f"{inside[-1].filename}:{inside[-1].lineno}" if inside else None


def _said(error: Exception) -> str:
    if isinstance(error, jinja2.TemplateNotFound):
        return f"there is no template {error.name}; ours are {_listed(sorted(shipped()))}"
    if isinstance(error, jinja2.UndefinedError):
        return f"{error.message}; docs/templates.md lists the facts"
    return f"{type(error).__name__}: {error}"


def _listed(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(names)
