"""Our rows of SQS operations against the model that this botocore ships: names, members, what is required, names in Query."""
import json
import subprocess

import botocore.session
import pytest
from conftest import SQS_IS_JSON
from harness import BINARY

# boto3 checks these itself; AWS answers a missing one of them with a fault of its own.
LENIENT = {"MessageAttributeValue": {"DataType"}, "MessageSystemAttributeValue": {"DataType"}}


@pytest.fixture(scope="module")
def ours():
    answer = json.loads(subprocess.run([BINARY, "ops", "--json"], capture_output=True, check=True, timeout=60).stdout)
    (sqs,) = [s for s in answer["services"] if s["name"] == "sqs"]
    return {op["name"]: op for op in sqs["operations"]}


MODEL = botocore.session.Session().get_service_model("sqs")


def fields(shape):
    return {f["wire"]: f for f in shape["members"] if f["place"] != "none"}


def compare(mine, theirs, where):
    mine = fields(mine)
    missing = set(theirs.members) - set(mine)
    assert not missing, f"{where} lacks {missing}"
    if SQS_IS_JSON:
        assert not set(mine) - set(theirs.members), f"{where} has members that AWS does not know"
    required = {name for name, field in mine.items() if field.get("required")}
    assert required == set(theirs.required_members) - LENIENT.get(theirs.name, set()), f"{where}: required members"
    for name, member in theirs.members.items():
        field = mine[name]
        kind = {"long": "integer"}.get(member.type_name, member.type_name)
        assert field["kind"] == kind, f"{where}.{name} is a {kind}"
        if not SQS_IS_JSON and kind in ("list", "map"):
            flat = member.serialization.get("name") or (member.member.serialization.get("name") if kind == "list" else None)
            if flat:
                assert field.get("query", name) == flat, f"{where}.{name} is {flat} in Query"
        if kind == "list" and member.member.type_name == "structure":
            compare(field["of"], member.member, f"{where}.{name}")
        if kind == "map" and member.value.type_name == "structure":
            value = [f for f in field["of"]["members"] if f["kind"] == "structure"][0]
            compare(value["of"], member.value, f"{where}.{name}")


@pytest.mark.parametrize("name", MODEL.operation_names)
def test_the_row_is_the_models(ours, name):
    operation, row = MODEL.operation_model(name), ours[name]
    assert row["implemented"]
    compare(row["input"], operation.input_shape, name + " input")
    if operation.output_shape:
        compare(row["output"], operation.output_shape, name + " output")


def test_there_are_23_operations(ours):
    assert len(ours) == 23
    assert set(MODEL.operation_names) <= set(ours)
