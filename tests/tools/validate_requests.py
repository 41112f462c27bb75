#!/usr/bin/env python3
"""Holds recorded AWS requests against AWS's own service models, as botocore ships them.

Input: files of JSON lines, one request a line, with `service` (as in "ecs"), `operation` (as in "CreateService") and `body`
(an object; for the query protocol a form-encoded string will do). Other fields are ignored.
Output: one line per operation, then each distinct failure with how often it was seen. Exit code 1 when there is one.

botocore itself checks members, types, required members and lower bounds. On top of that: enum values, upper bounds and
patterns, which AWS checks too.
"""

import argparse
import collections
import json
import re
import sys
import urllib.parse

import botocore.exceptions
import botocore.model
import botocore.session
from botocore.validate import ParamValidator

# What a service is called in a signature or a host name, where botocore's folder has another name.
MODEL_OF = {"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}


class Models:
    """Service models by name, each loaded once."""

    def __init__(self):
        self._session = botocore.session.Session()
        self._loaded = {}

    def operation(self, service, operation):
        """The model of one operation; LookupError says which of the two names AWS does not have."""
        name = MODEL_OF.get(service, service)
        if name not in self._loaded:
            try:
                self._loaded[name] = self._session.get_service_model(name)
            except botocore.exceptions.UnknownServiceError:
                raise LookupError(f"AWS has no service '{service}'") from None
        try:
            return self._loaded[name].operation_model(operation)
        except botocore.model.OperationNotFoundError:
            raise LookupError(f"{service} has no operation '{operation}'") from None


def parse_query(pairs, shape):
    """The parameters of a form: `Tags.member.1.Key` is the member `Key` of the first of `Tags`."""
    tree = {}
    for name, value in pairs:
        if name in ("Action", "Version"):
            continue
        *path, last = name.split(".")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value
    return {name: of_shape(value, shape.members.get(name) if shape else None) for name, value in tree.items()}


def of_shape(value, shape):
    """A form's value as the model's type; what the model does not know stays as it is, and is complained about later."""
    kind = shape.type_name if shape is not None else "string"
    if kind == "list":
        items = value.get("member", value) if isinstance(value, dict) else {}
        return [of_shape(items[key], shape.member) for key in sorted(items, key=int)]
    if kind == "structure" and isinstance(value, dict):
        return {name: of_shape(inner, shape.members.get(name)) for name, inner in value.items()}
    if kind in ("integer", "long") and re.fullmatch(r"-?\d+", str(value)):
        return int(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    return value


def parse_body(body, model):
    if body is None or body == "":
        return {}
    if model.service_model.protocol == "query":
        pairs = body.items() if isinstance(body, dict) else urllib.parse.parse_qsl(body, keep_blank_values=True)
        return parse_query(pairs, model.input_shape)
    return json.loads(body) if isinstance(body, str) else body


def beyond_botocore(value, shape, path):
    """Yields what botocore lets through: values outside an enum, too long, too large, against a pattern."""
    kind = shape.type_name
    if kind == "structure" and isinstance(value, dict):
        for name, inner in value.items():
            if name in shape.members:
                yield from beyond_botocore(inner, shape.members[name], f"{path}.{name}")
    elif kind == "list" and isinstance(value, list):
        for inner in value:
            yield from beyond_botocore(inner, shape.member, f"{path}[]")
        yield from too_much(len(value), shape, path, "items")
    elif kind == "map" and isinstance(value, dict):
        for key, inner in value.items():
            yield from beyond_botocore(key, shape.key, f"{path} (key)")
            yield from beyond_botocore(inner, shape.value, f"{path}{{}}")
        yield from too_much(len(value), shape, path, "entries")
    elif kind == "string" and isinstance(value, str):
        if shape.enum and value not in shape.enum:
            yield f"Invalid value for parameter {path}: '{value}' is not one of {', '.join(shape.enum)}"
        pattern = shape.metadata.get("pattern")
        if pattern and not matches(pattern, value):
            yield f"Invalid value for parameter {path}: '{value}' does not match {pattern}"
        yield from too_much(len(value), shape, path, "characters")
    elif kind in ("integer", "long", "float", "double") and isinstance(value, (int, float)):
        yield from too_much(value, shape, path, "")


def too_much(amount, shape, path, unit):
    limit = shape.metadata.get("max")
    if limit is not None and amount > limit:
        yield f"Invalid value for parameter {path}: {amount} {unit}".rstrip() + f", at most {limit}"


def matches(pattern, value):
    # The models' patterns are for Java; one that Python cannot read proves nothing about the value.
    try:
        return re.search(pattern, value) is not None
    except re.error:
        return True


def failures_of(record, models):
    """Every complaint about one recorded request, worded so that equal mistakes give equal lines."""
    service, operation = record.get("service"), record.get("operation")
    if not isinstance(service, str) or not isinstance(operation, str):
        return ["the record names no service or no operation"]
    try:
        model = models.operation(service, operation)
        params = parse_body(record.get("body"), model)
    except LookupError as error:
        return [str(error)]
    except ValueError as error:
        return [f"the body is not JSON: {error}"]
    if not isinstance(params, dict):
        return [f"the body is a {type(params).__name__}, not an object"]
    if model.input_shape is None:
        return [f"takes no parameters, got {', '.join(sorted(params))}"] if params else []
    report = ParamValidator().validate(params, model.input_shape)
    lines = report.generate_report().splitlines() if report.has_errors() else []
    lines += beyond_botocore(params, model.input_shape, "input")
    # A list's index says where, not what: without it the same mistake in ten items is one line.
    return [re.sub(r"\[\d+\]", "[]", line) for line in lines]


def validate(records, models):
    """(requests per operation, count per failure) for an iterable of records."""
    seen, failed = collections.Counter(), collections.Counter()
    for record in records:
        name = f"{record.get('service')}.{record.get('operation')}"
        seen[name] += 1
        for failure in dict.fromkeys(failures_of(record, models)):
            failed[f"{name}: {failure}"] += 1
    return seen, failed


def read(paths):
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                except ValueError as error:
                    sys.exit(f"{path}:{number}: not JSON: {error}")
                if not isinstance(record, dict):
                    sys.exit(f"{path}:{number}: not an object")
                yield record


def self_test():
    """Proves on good and bad requests that each kind of mistake is caught and a right request is not."""
    cluster = {"cluster": "demo", "serviceName": "cache", "taskDefinition": "demo_cache:1", "launchType": "FARGATE"}
    cases = [
        ("a right request", "ecs", "CreateService", cluster, None),
        ("a wrong member", "ecs", "CreateService", cluster | {"desiredCuont": 1}, "Unknown parameter"),
        ("a missing required member", "ecs", "CreateService", {"cluster": "demo"}, "Missing required parameter"),
        ("a wrong type", "ecs", "CreateService", cluster | {"desiredCount": "1"}, "Invalid type"),
        ("a null", "ecs", "CreateService", cluster | {"desiredCount": None}, "Invalid type"),
        ("a wrong member in a list", "ecs", "CreateService", cluster | {"tags": [{"Key": "a"}]}, "tags[]"),
        ("a value outside an enum", "ecs", "CreateService", cluster | {"launchType": "LAMBDA"}, "is not one of"),
        ("too many characters", "servicediscovery", "CreateService", {"Name": "a", "Description": "a" * 2000}, "at most"),
        ("a value against a pattern", "servicediscovery", "CreateService", {"Name": "no spaces, please"}, "does not match"),
        ("an operation AWS lacks", "ecs", "CreateServices", {}, "has no operation"),
        ("a service AWS lacks", "ecz", "CreateService", {}, "has no service"),
        ("a form", "sts", "GetCallerIdentity", "Action=GetCallerIdentity&Version=2011-06-15", None),
        ("a wrong member in a form", "sts", "GetCallerIdentity", "Action=GetCallerIdentity&Name=x", "Unknown parameter"),
        ("a list in a form", "cloudformation", "DescribeStacks", "StackName=a", None),
        ("a wrong member of a list in a form", "cloudformation", "CreateChangeSet",
         {"StackName": "a", "ChangeSetName": "b", "Tags.member.1.Kee": "k"}, "Tags[]"),
        ("a value outside an enum in a form", "cloudformation", "CreateChangeSet",
         "StackName=a&ChangeSetName=b&Capabilities.member.1=CAPABILITY_ALL", "is not one of"),
        ("no body", "ecs", "ListClusters", None, None),
    ]
    models, wrong = Models(), 0
    for what, service, operation, body, expected in cases:
        found = failures_of({"service": service, "operation": operation, "body": body}, models)
        right = not found if expected is None else any(expected in failure for failure in found)
        if not right:
            wrong += 1
            print(f"FAILED {what}: expected {expected!r}, got {found}")
    print(f"{len(cases) - wrong} of {len(cases)} self-tests passed")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", help="records, one JSON object a line")
    parser.add_argument("--self-test", action="store_true", help="prove that mistakes are caught")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    if not arguments.files:
        parser.error("name at least one file, or --self-test")
    seen, failed = validate(read(arguments.files), Models())
    for name, count in sorted(seen.items()):
        print(f"{count:7} {name}")
    print(f"{sum(seen.values())} requests, {len(seen)} operations, {len(failed)} distinct failures")
    if not seen:
        print("nothing was recorded: that is a failure, not a pass")
        return 1
    for failure, count in failed.most_common():
        print(f"{count:7} x {failure}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
