"""Template files before anything is rendered: whether they are text, and Jinja2.

Owns the findings for a template that cannot be read or parsed, and its lines. Renders nothing and knows no
name a template is given.
Source: Jinja2 3.1, "Template Designer Documentation".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import jinja2

from pybuild.diagnostics import Diagnostic, Location

COMPONENTS = "components"  # the folder below templates/ of what directives become
EXTENSIONS = ("jinja2.ext.do", "jinja2.ext.loopcontrols")


def component_files(root: Path) -> Iterator[str]:
    """The names of the files of the site that show directives, sorted."""
    folder = root / "templates" / COMPONENTS
    if folder.is_dir():
        yield from sorted(file.name for file in folder.iterdir() if file.suffix in (".html", ".md"))


def check_templates(root: Path, files: Iterable[str]) -> tuple[Diagnostic, ...]:
    """Parse template files, named relative to the site. Codes: `encoding-error`, `template-error`."""
    environment = jinja2.Environment(extensions=EXTENSIONS)
    findings = (_fault(environment, file, (root / file).read_bytes()) for file in files)
    return tuple(finding for finding in findings if finding)


def _fault(environment: jinja2.Environment, file: str, content: bytes) -> Diagnostic | None:
    try:
        environment.parse(content.decode("utf-8"))
    except UnicodeDecodeError as fault:
        return encoding_fault(file, fault)
    except jinja2.TemplateSyntaxError as fault:
        return syntax_fault(fault, file)
    except RecursionError:
        message, hint = f"{file} nests deeper than Python can follow", "nest less deep"
        return Diagnostic("template-error", message, Location(file), hint)
    return None


def written_line(file: Path, compiled_line: int) -> int:
    """The line of a template that a line of the Python made from it comes from."""
    environment = jinja2.Environment(extensions=EXTENSIONS, autoescape=True)
    template: jinja2.Template = environment.from_string(file.read_text("utf-8", "replace"))
    return template.get_corresponding_lineno(compiled_line)


def encoding_fault(file: str, fault: UnicodeDecodeError) -> Diagnostic:
    """Place a byte that is not UTF-8. Precondition: the whole file was decoded at once."""
    line = fault.object.count(b"\n", 0, fault.start) + 1
    message = f"byte {fault.start} of {file} (0x{fault.object[fault.start]:02x}) is not UTF-8 text"
    return Diagnostic("encoding-error", message, Location(file, line), "save the file as UTF-8")


def syntax_fault(fault: jinja2.TemplateSyntaxError, file: str) -> Diagnostic:
    """Place what is not Jinja2."""
    message = f"this is not Jinja2: {fault.message}"
    return Diagnostic("template-error", message, Location(file, fault.lineno), "correct the tag at this line")
