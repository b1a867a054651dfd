"""Templates that are folded for a language draw what they draw as they are written."""

from typing import Any

import pytest
from django.utils.safestring import mark_safe
from jinja2 import DictLoader, Environment, StrictUndefined, UndefinedError
from markupsafe import Markup, escape

from friendpay.kit.folding import Folding, escaped

WORDS = {"Hello": "¡Hola & adiós!", "%(who)s pays %(sum)s": "100 %% %(sum)s <- %(who)s", "Paid %(sum)s": "Pagado"}
CONSTANTS = {"TONGUES": (("en", "English"), ("es", "Español"))}


def environment(**templates: str) -> Folding:
    env = Folding(
        loader=DictLoader(templates), autoescape=True, undefined=StrictUndefined, extensions=["jinja2.ext.i18n"]
    )
    env.globals |= {"_": words, "gettext": words, "language": lambda: "es", **CONSTANTS}
    return env


def words(text: str) -> str:
    return WORDS.get(text, text)


def folded(env: Folding) -> Folding:
    return env.knowing({name: env.globals[name] for name in ("_", "gettext", "language", "TONGUES")}, {})


@pytest.mark.parametrize(
    "page",
    [
        "{{ _('Hello') }} {{ _(word) }}",
        "{% trans who=name, sum=4 %}{{ who }} pays {{ sum }}{% endtrans %}",
        "{% trans sum=name %}Paid {{ sum }}{% endtrans %}",
        "{% set line %}{% trans who=name, sum='&' %}{{ who }} pays {{ sum }}{% endtrans %}{% endset %}{{ line }}",
        "{% for code, tongue in TONGUES if code != language() %}<b lang={{ code }}>{{ tongue }} {{ name }}{% endfor %}",
        "{% for code, tongue in TONGUES %}{{ loop.index }}{{ code }}{% endfor %}",
        "{% for word in words %}{{ word }}{{ _('Hello') }}{% endfor %}",
        "{{ dict(TONGUES)[language()] }}",
        "{% include 'part' %}{{ mine is defined }}",
        "{% with field = name %}{% include 'part' %}{% endwith %}",
        "{% extends 'base' %}{% block main %}{{ super() }}{% include 'part' %}{% endblock %}",
    ],
)
def test_it_draws_the_same(page: str) -> None:
    env = environment(
        page=page,
        base="<h1>{{ _('Hello') }}</h1>{% block main %}{{ name }}{% endblock %}",
        part="{% set mine = 3 %}{{ _('Hello') }}{{ mine }}{{ field }}{% include 'deep' %}",
        deep="<i>{{ name|upper }}</i>",
    )
    about: dict[str, Any] = {"name": "<Ann>", "word": "Hello", "words": ["a", "b"], "field": "&"}
    assert folded(env).get_template("page").render(about) == env.get_template("page").render(about)


def test_nothing_is_left_to_ask_where_all_is_known() -> None:
    env = folded(environment(page="{{ _('Hello') }}"))
    env.globals["_"] = None
    assert env.get_template("page").render() == "¡Hola &amp; adiós!"


def test_what_is_nowhere_is_still_an_error() -> None:
    env = folded(environment(page="{% include 'part' %}", part="{{ nowhere }}"))
    with pytest.raises(UndefinedError):
        env.get_template("page").render()


VALUES = ["plain", "<b>&\"'", "李", "", 5, None, 1.5, Markup("<i>"), mark_safe("<u>&"), ["<", 1]]


@pytest.mark.parametrize("value", VALUES)
def test_what_is_escaped_is_what_jinja_escapes(value: object) -> None:
    assert escaped(value) == str(escape(value))
    page = "{{ it }}{% set kept %}{{ it }}{% endset %}{{ kept }}{% macro m(of) %}{{ of }}{% endmacro %}{{ m(it) }}"
    own = Environment(loader=DictLoader({"page": page}), autoescape=True)
    drawn = environment(page=page).get_template("page").render(it=value)
    assert drawn == own.get_template("page").render(it=value)


def test_filters_of_a_language_are_its_own() -> None:
    env = environment(page="{{ 'a'|upper }}")
    assert env.knowing({"language": "es"}, {"upper": lambda text: f"{text} es"}).get_template("page").render() == "a es"
    assert env.get_template("page").render() == "A"
