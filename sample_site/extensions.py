"""What this site adds to templates: words and numbers in the language of the page."""

import jinja2
from lib.words import say

inputs = ["data/words.toml"]


@jinja2.pass_context
def say_here(context: jinja2.runtime.Context, name: str, value: object = "") -> str:
    return say(context["page"].language, name, value)


@jinja2.pass_context
def decimal(context: jinja2.runtime.Context, value: float, digits: int) -> str:
    """`3.61`, in German `3,61`."""
    text = f"{value:.{digits}f}"
    return text.replace(".", ",") if context["page"].language == "de" else text


@jinja2.pass_context
def metres(context: jinja2.runtime.Context, value: float) -> str:
    """A height to the centimetre, without a break before the unit."""
    return f"{decimal(context, value, 2)}\N{NO-BREAK SPACE}m"


def templates(env: jinja2.Environment) -> None:
    env.globals["say"] = say_here
    env.filters |= {"decimal": decimal, "metres": metres}
