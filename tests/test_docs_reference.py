"""The reference says what the code says: each name, each default, each signature."""

import ast
import dataclasses
import importlib
import inspect
import io
import json
import re
import shlex
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import call_command
from django.template import engines

import flaggate
from flaggate import changes, checks, conf, exceptions, signals
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
    parts = re.split(r"^````\{py:class\} flaggate\.models\.(\w+)$", page, flags=re.MULTILINE)[1:]
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

DIRECTIVE = re.compile(r"^`+\{py:(?:function|class|exception|data)\} ([\w.]+)(\(.*\))?$", re.M)


def documented():
    pages = "\n".join(text_of(f"reference/{name}.md") for name in ("api", "testing"))
    return dict(DIRECTIVE.findall(pages))


def looked_up(path):
    """Import a dotted path; the attribute of a package may be a name that it looks up."""
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def signature(function):
    """Write a signature without its annotations."""
    found = inspect.signature(function)
    parameters = [each.replace(annotation=each.empty) for each in found.parameters.values()]
    return str(found.replace(parameters=parameters, return_annotation=found.empty))


MODULES = ("members", "rollouts")
MEMBER_CHANGES = ("add", "remove", "replace")  # the others are for use within change()


def public():
    return {
        *(f"flaggate.{name}" for name in flaggate.__all__ if name != "__version__"),
        *(f"flaggate.changes.{name}" for name in changes.__all__ if name not in MODULES),
        *(f"flaggate.changes.members.{name}" for name in MEMBER_CHANGES),
        *(f"flaggate.changes.rollouts.{name}" for name in functions_of(changes.rollouts)),
        *(f"flaggate.exceptions.{name}" for name in classes_of(exceptions)),
        *(f"flaggate.signals.{name}" for name in vars(signals) if name.endswith("_changed")),
        "flaggate.api.permissions.FlagRequired",
        "flaggate.core.explanation.Explanation",
        "flaggate.decorators.flag_required",
        "flaggate.middleware.FlagsMiddleware",
        "flaggate.testing.override_flag",
        "flaggate.urls.flagged_path",
        "flaggate.views.FlagRequiredMixin",
    }


def classes_of(module):
    return [name for name, value in own(module) if inspect.isclass(value)]


def functions_of(module):
    return [name for name, value in own(module) if inspect.isfunction(value)]


def own(module):
    """Find the public names that a module itself defines."""
    for name, value in vars(module).items():
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__:
            yield name, value


def test_the_api_pages_name_every_public_name_and_no_other():
    assert set(documented()) == public()


@pytest.mark.parametrize(
    ("path", "written"), [(path, written) for path, written in documented().items() if written]
)
def test_signatures_are_those_of_the_code(path, written):
    assert written == signature(looked_up(path))


def test_every_function_is_documented_with_its_signature():
    functions = {path for path in public() if inspect.isfunction(looked_up(path))}
    assert not [path for path in functions if not documented()[path]]


def test_the_methods_of_flags_are_all_documented_with_their_signatures():
    page = text_of("reference/api.md").partition("{py:class} flaggate.Flags\n")[2]
    written = dict(re.findall(r"^```\{py:method\} (\w+)(\(.*\))$", page, re.MULTILINE))
    methods = {
        name: signature(value).replace("(self, ", "(").replace("(self)", "()")
        for name, value in vars(flaggate.Flags).items()
        if inspect.isfunction(value) and not name.startswith("_")
    }
    assert written == methods


def test_the_parts_of_an_explanation_are_all_named():
    page = text_of("reference/api.md").partition("{py:class} flaggate.core.explanation")[2]
    named = re.findall(r"^- `(\w+)`:", page.partition("````")[0], re.MULTILINE)
    assert sorted(named) == sorted(each.name for each in dataclasses.fields(Explanation))


# --- Templates ------------------------------------------------------------------------------


def test_the_templates_page_names_every_tag():
    found = re.findall(r"^### `\{% (\w+) %\}`$", text_of("reference/templates.md"), re.MULTILINE)
    assert sorted(found) == sorted(register.tags)


def test_the_templates_page_names_every_jinja2_global():
    environment = engines["jinja2"].env.overlay()
    before = set(environment.globals)
    environment.globals = dict(environment.globals)
    FlagsExtension(environment)
    found = re.findall(r"^\| `(\w+)\(.*\)` \|", text_of("reference/templates.md"), re.MULTILINE)
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
    messages = set(re.findall(r"^\| ([^|`]+) \|", page, re.MULTILINE)) - {"message"}
    unknown_flag = "There is no flag …; it is off."  # with or without "did you mean"
    assert messages - {unknown_flag} == set(logged()) - {"…"}
    assert unknown_flag in messages


# --- Whatever a page names ------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_test_modules_that_a_page_names_exist(page):
    named = set(re.findall(r"`(tests/[\w/.]+\.py)`", page.read_text()))
    assert not [path for path in named if not (ROOT / path).exists()]
