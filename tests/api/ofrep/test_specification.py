"""Every answer is one that the specification describes."""

from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from flaggate import changes
from flaggate.models import Flag
from tests.api.ofrep.conftest import ALL
from tests.fixtures import released, targeted

pytestmark = pytest.mark.urls("tests.api.ofrep.urls")

SPECIFICATION = yaml.safe_load((Path(__file__).parent / "specification/openapi.yaml").read_text())


def mended(part):
    """Mend what nothing can satisfy: whatever has a value also fits "the caller's default".

    DEFAULT is OpenFeature's word and every server's, and is missing from the list.
    """
    if isinstance(part, list):
        return [mended(each) for each in part]
    if not isinstance(part, dict):
        return part
    if "DISABLED" in part.get("enum", ()):
        return {**part, "enum": [*part["enum"], "DEFAULT"]}
    return {"anyOf" if name == "oneOf" else name: mended(each) for name, each in part.items()}


DOCUMENT = Resource.from_contents(mended(SPECIFICATION), default_specification=DRAFT202012)
REGISTRY = Registry().with_resource("spec:", DOCUMENT)


def conforms(document, schema):
    reference = {"$ref": f"spec:#/components/schemas/{schema}"}
    Draft202012Validator(reference, registry=REGISTRY).validate(document)


VALUES = [True, False, "text", "", 1, -1.5, 1.0, {"a": 1}, {}]


@pytest.fixture
def flags(db):
    """One flag for each answer that there is."""
    with changes.change():
        for number, value in enumerate(VALUES):
            released(f"value_{number}", variants=[("a", value, 1)])
        released("on")
        changes.create("off")
        changes.create("to_the_caller", variants=[("a", 1, 1)])
        released("share", percentage=50)
        targeted("rule", ("plan", "one_of", ["gold"]))
        needed = released("needs")
        needed.prerequisites.create(required=Flag.objects.get(key="off"))
        released("broken")
    Flag.objects.filter(key="broken").update(percentage=-1)


CONTEXTS = [{}, {"targetingKey": "1"}, {"targetingKey": "1", "plan": "gold"}]


@pytest.mark.parametrize("context", CONTEXTS)
def test_all_answers_conform(flags, server, context):
    document = server.all(context).json()
    conforms(document, "bulkEvaluationSuccess")
    assert len(document["flags"]) == len(VALUES) + 7


@pytest.mark.parametrize("context", CONTEXTS)
def test_each_answer_conforms_to_what_its_status_promises(flags, server, context):
    schemas = {200: "serverEvaluationSuccess", 400: "evaluationFailure", 404: "flagNotFound"}
    keys = [each["key"] for each in server.all().json()["flags"]]
    seen = set()
    for key in [*keys, "nope"]:
        answer = server.one(key, **context)
        conforms(answer.json(), schemas[answer.status_code])
        seen.add(answer.status_code)
    assert seen == {200, 400, 404}


@pytest.mark.parametrize(
    ("address", "schema"), [(ALL, "bulkEvaluationFailure"), (f"{ALL}/x", "evaluationFailure")]
)
def test_what_is_refused_conforms(server, address, schema):
    conforms(server.post(address, "{").json(), schema)


def test_a_schema_that_is_not_met_would_be_noticed():
    with pytest.raises(Exception, match="is not of type"):
        conforms({"key": 1, "errorCode": "GENERAL"}, "evaluationFailure")
