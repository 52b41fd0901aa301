"""The reference says what the code says: each name, each default, each signature."""

import ast
import dataclasses
import importlib
import inspect
import io
import json
import pkgutil
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.dispatch import Signal
from django.template import engines

import flaggate
from flaggate import changes, checks, conf, contrib, store
from flaggate.context import BUILT_IN
from flaggate.core import evaluation
from flaggate.core.explanation import Explanation
from flaggate.core.operators import OPERATORS
from flaggate.jinja2 import FlagsExtension
from flaggate.models import Flag, Segment
from flaggate.templatetags.flaggate import register

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def text_of(name):
    return (DOCS / name).read_text()


def first_cells(text):
    """Find what stands as code in the first column of tables; a cell may hold several."""
    cells = re.findall(r"^\| (`[^|]+) \|", text, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def blocks(text, language):
    return re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def sections(text, heading):
    """Split a page into sections by headings of one level, as code."""
    parts = re.split(rf"^{heading} `([^`]+)`$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def constants(module):
    return {value for name, value in vars(module).items() if name == value}


# --- README ---------------------------------------------------------------------------------


def supported(row):
    readme = (ROOT / "README.md").read_text()
    return re.search(rf"^\| {row} \| (.+) \|$", readme, re.MULTILINE)[1].split(", ")


@pytest.mark.parametrize(
    ("row", "classifier"),
    [("Python", r"Programming Language :: Python :: (3\.\d+)"), ("Django", r".* Django :: (\d.*)")],
)
def test_the_readme_names_the_supported_versions(row, classifier):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found = [re.fullmatch(classifier, each) for each in project["classifiers"]]
    assert supported(row) == [match[1] for match in found if match]


# --- Settings and checks --------------------------------------------------------------------


def test_the_settings_page_names_every_setting_with_its_type_and_default():
    def wanted(field):
        default = f'"{field.default}"' if isinstance(field.default, str) else repr(field.default)
        return f"`{field.type}`, by default `{default}`"

    documented = {
        name: section.strip().splitlines()[0]
        for name, section in sections(text_of("reference/settings.md"), "##").items()
    }
    assert documented == {each.name: wanted(each) for each in dataclasses.fields(conf.Settings)}


def test_the_checks_page_names_every_check():
    raised = re.findall(r'id="([^"]+)"', inspect.getsource(checks))
    assert list(sections(text_of("reference/checks.md"), "###")) == sorted(set(raised))


# --- Operators, reasons, attributes, models -------------------------------------------------


def test_the_operators_page_names_every_operator_with_its_label():
    rows = re.findall(r"^\| `(\w+)` \| ([^|`]+) \|", text_of("reference/operators.md"), re.M)
    assert rows == [(each.name, each.label) for each in OPERATORS.values()]


def fine_print():
    line = re.compile(r"^\| (.+) \| (not )?`(\w+) (\[.+\])`(, ignoring case)? \| (yes|no) \|$")
    for row in text_of("reference/operators.md").splitlines():
        if found := line.match(row):
            yield pytest.param(*found.groups(), id=row)


@pytest.mark.parametrize(
    ("subject", "negated", "operator", "values", "ignoring", "met"), list(fine_print())
)
@pytest.mark.django_db
def test_each_line_of_the_fine_print_is_true(subject, negated, operator, values, ignoring, met):
    with changes.change():
        changes.create("flag", enabled=True, percentage=0)
        segment = Segment.objects.create(key="segment")
        segment.conditions.create(
            attribute="x",
            operator=operator,
            values=json.loads(values),
            negate=bool(negated),
            ignore_case=bool(ignoring),
        )
        flag = Flag.objects.get(key="flag")
        flag.rules.create(percentage=100).segments.add(segment)
    attributes = {} if subject.startswith("nothing") else {"x": json.loads(subject.strip("`"))}
    asked = flaggate.EvaluationContext("1", attributes)
    assert flaggate.is_active("flag", asked) is (met == "yes")


def test_no_line_of_the_fine_print_is_overlooked():
    ends = re.findall(r"\| (?:yes|no) \|$", text_of("reference/operators.md"), re.MULTILINE)
    assert len(list(fine_print())) == len(ends)


def test_reasons_and_error_codes_are_all_explained():
    assert set(re.findall(r"^\| `([A-Z_]+)` \|", text_of("explanation/evaluation.md"), re.M)) == (
        constants(evaluation)
    )


def test_the_fields_of_an_evaluation_are_all_explained():
    page = text_of("explanation/evaluation.md").partition("(the-evaluation)=")[2]
    fields = [each.name for each in dataclasses.fields(evaluation.Evaluation)]
    table = page.partition("### Reasons")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.M)) == sorted(fields)


def test_the_built_in_attributes_are_all_explained():
    assert set(first_cells(text_of("concepts.md"))) == BUILT_IN


def test_the_models_page_names_every_field_of_every_model():
    page = text_of("reference/models.md")
    parts = re.split(r"^\.\. autoclass:: flaggate\.models\.(\w+)$", page, flags=re.MULTILINE)[1:]
    documented = dict(zip(parts[::2], map(first_cells, parts[1::2]), strict=True))
    assert {name: sorted(fields) for name, fields in documented.items()} == {
        model.__name__: sorted(
            field.name
            for field in model._meta.get_fields()
            if not field.auto_created or field.concrete
            if field.name != "id"
        )
        for model in apps.get_app_config("flaggate").get_models()
    }


# --- Python ---------------------------------------------------------------------------------

DIRECTIVE = re.compile(r"^\.\. auto(?:function|class|exception|data):: ([\w.]+)$", re.MULTILINE)

# Modules of which a project needs only a part …
PARTLY_PUBLIC = {
    "flaggate.api.authentication": {"KeyAuthentication"},
    "flaggate.api.keys": {"Issued", "create", "revoke", "rotate"},
    "flaggate.changes.members": {"Tally", "add", "remove", "replace"},
    "flaggate.changes.together": {"archive", "disable", "enable", "restore", "rollout", "undo"},
    "flaggate.contrib.debug_toolbar": {"FlagsPanel"},
    "flaggate.contrib.openfeature": {"FlaggateProvider", "SUBJECT", "context_for"},
    "flaggate.contrib.opentelemetry": {"instrument", "uninstrument"},
    "flaggate.core.explanation": {"Explanation"},
    "flaggate.flags": {"observers"},
    "flaggate.jinja2": {"FlagsExtension"},  # its functions are globals of templates
    "flaggate.pytest_plugin": set(),
    "flaggate.store": {"Status"},
    "flaggate.templatetags.flaggate": set(),  # its functions are tags
}
# … or nothing that it would import.
INTERNAL = {
    *("admin", "apps", "checks", "conf", "context", "core", "management", "migrations"),
    *("api", "browser", "contrib", "overlay", "recording", "templatetags"),
}


def pages_by_module():
    rows = re.findall(r"^\| \{doc\}`([\w.]+) <([\w.]+)>` \|", text_of("reference/api.md"), re.M)
    return {module: text_of(f"reference/{page}.md") for module, page in rows}


def public(module):
    """Find the names of a module that a project may use."""
    if module.__name__ in PARTLY_PUBLIC:
        return PARTLY_PUBLIC[module.__name__]
    exported = getattr(module, "__all__", None) or [name for name, _value in own(module)]
    return {name for name in exported if not inspect.ismodule(getattr(module, name))}


def own(module):
    """Find the functions, classes and signals that a module itself defines."""
    for name, value in vars(module).items():
        made_here = getattr(value, "__module__", "") == module.__name__
        if not name.startswith("_") and (made_here or isinstance(value, Signal)):
            yield name, value


@pytest.mark.parametrize(("name", "page"), pages_by_module().items(), ids=list(pages_by_module()))
def test_the_page_of_a_module_names_every_public_name(name, page):
    found = {path for path in DIRECTIVE.findall(page) if path.rpartition(".")[0] == name}
    wanted = {f"{name}.{each}" for each in public(importlib.import_module(name))}
    assert wanted - found - {"flaggate.__version__"} == set()


def test_every_module_has_a_page_or_is_internal():
    found = {
        each.name
        for package in (flaggate, contrib)
        for each in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    }
    exported = (getattr(changes, name) for name in changes.__all__)
    found |= {each.__name__ for each in exported if inspect.ismodule(each)}
    assert found - {f"flaggate.{name}" for name in INTERNAL} - pages_by_module().keys() == set()


def looked_up(path):
    """Import a dotted path; the attribute of a package may be a name that it looks up."""
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def test_what_is_published_has_a_docstring():
    paths = {path for page in pages_by_module().values() for path in DIRECTIVE.findall(page)}
    assert [path for path in paths if not looked_up(path).__doc__] == []


@pytest.mark.parametrize("published", [flaggate.Flags, flaggate.EvaluationContext, changes.Change])
def test_each_method_of_a_published_class_has_a_docstring(published):
    """Autodoc leaves out what has none."""
    methods = {
        name: each
        for name, each in vars(published).items()
        if not name.startswith("_") and (inspect.isfunction(each) or isinstance(each, property))
    }
    assert [name for name, each in methods.items() if not each.__doc__] == []


@pytest.mark.parametrize("record", [flaggate.Evaluation, store.Status, Explanation])
def test_each_field_of_an_answer_is_described(record):
    """Autodoc leaves out what has no comment of that kind."""
    described = re.findall(r"^    #: .+\n    (\w+): ", inspect.getsource(record), re.MULTILINE)
    assert described == [each.name for each in dataclasses.fields(record)]


# --- Templates ------------------------------------------------------------------------------


def test_the_page_of_the_tags_names_every_tag():
    found = re.findall(r"^## `\{% (\w+) %\}`$", text_of("reference/templatetags.flaggate.md"), re.M)
    assert sorted(found) == sorted(register.tags)


def test_the_page_of_jinja2_names_every_global():
    environment = engines["jinja2"].env.overlay()
    before = set(environment.globals)
    environment.globals = dict(environment.globals)
    FlagsExtension(environment)
    found = re.findall(r"^\| `(\w+)\(.*\)` \|", text_of("reference/jinja2.md"), re.MULTILINE)
    assert set(found) == set(environment.globals) - before


LANGUAGES = {"html+django": "django", "html+jinja": "jinja2"}


def template_samples():
    return [
        pytest.param(engine, block, id=f"{page.relative_to(ROOT)}:{number}")
        for page in PAGES
        for language, engine in LANGUAGES.items()
        for number, block in enumerate(blocks(page.read_text(), language), start=1)
    ]


@pytest.mark.parametrize(("engine", "sample"), template_samples())
def test_template_samples_are_templates(engine, sample):
    """Compile a sample; only for the one of the tags is `{% load flaggate %}` part of the page."""
    if engine == "django":
        engines["django"].from_string("{% load flaggate %}" + sample)
    else:
        engines["jinja2"].from_string(sample)


# --- Shells ---------------------------------------------------------------------------------


def shell_samples(page):
    """Find commands and what they print, from the top of a page to its end."""
    for block in blocks(page.read_text(), "console"):
        for sample in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = sample.partition("\n")
            if command.startswith("python manage.py flags"):
                yield shlex.split(command)[2:], output


@pytest.mark.django_db
@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "quickstart.md"], ids=lambda p: p.name)
def test_commands_print_what_the_page_says(page):
    samples = list(shell_samples(page))
    for arguments, output in samples:
        printed = io.StringIO()
        call_command(*arguments, stdout=printed)
        assert printed.getvalue() == output
    assert samples


# --- The log --------------------------------------------------------------------------------


def logged():
    """Find what the code logs, with an ellipsis for each argument."""
    for path in sorted((ROOT / "flaggate").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and getattr(node.func.value, "id", "") == "logger"
            ):
                yield re.sub(r"%[rsd]", "…", ast.literal_eval(node.args[0]))


def test_the_page_for_operators_explains_every_message_of_the_log():
    page = text_of("howto/operate.md").partition("## What the log says")[2]
    messages = set(re.findall(r"^\| (?:info|warning|error) \| ([^|]+) \|", page, re.MULTILINE))
    unknown_flag = "There is no flag …; it is off."  # with or without "did you mean"
    assert messages - {unknown_flag} == set(logged()) - {"…"}
    assert unknown_flag in messages


# --- Whatever a page names ------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_tests_that_a_page_names_exist(page):
    named = re.findall(r"`(tests/[\w/.]+\.py)::(\w+)`", page.read_text())
    assert not [name for path, name in named if f"def {name}(" not in (ROOT / path).read_text()]


def test_each_row_of_the_faults_names_its_test():
    rows = [row for row in text_of("explanation/faults.md").splitlines() if row.startswith("| ")]
    assert not [
        row for row in rows if "test |" not in row and not re.search(r"::test_\w+` \|$", row)
    ]
    assert len(rows) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_test_modules_that_a_page_names_exist(page):
    named = set(re.findall(r"`(tests/[\w/.]+\.py)`", page.read_text()))
    assert not [path for path in named if not (ROOT / path).exists()]
