"""The vendor's SDK, driven by names, with each answer compared with the SDK's own models.

The SDK itself is lenient: it drops fields it does not know and takes a string where its model says integer. So
every answer is checked here: no unknown field, no value of another type than the model states.
"""

import importlib
import json
import re

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions.exceptions import ServiceResponseException
from huaweicloudsdkcore.http.http_config import HttpConfig

PRIMITIVES = {
    "str": str,
    "int": int,
    "bool": bool,
    "float": (int, float),
    "object": object,
    "datetime": str,
    "date": str,
}


class Service:
    """A client of one service: `Service("elb", "v3", …).call("show_listener", listener_id=…)`."""

    def __init__(self, name, version, endpoint, credentials, config=None):
        self.models = importlib.import_module(f"huaweicloudsdk{name}.{version}")
        client = getattr(self.models, f"{name.capitalize()}Client")
        builder = client.new_builder().with_http_config(config or HttpConfig(timeout=(5, 20)))
        self.client = builder.with_credentials(credentials).with_endpoint(endpoint).build()

    def call(self, operation, body=None, **parameters):
        """Makes one call; `body` is given as plain dicts and lists and becomes models of the SDK."""
        request = getattr(self.models, camel(operation) + "Request")
        if body is not None:
            parameters["body"] = self.model(request.openapi_types["body"], body)
        return getattr(self.client, operation)(request(**parameters))

    def model(self, kind, value):
        """Turns plain data into the SDK's model of that name; a field that it lacks is a TypeError."""
        if value is None or kind in PRIMITIVES or kind.startswith("dict("):
            return value
        if kind.startswith("list["):
            return [self.model(kind[5:-1], item) for item in value]
        model = getattr(self.models, kind)
        if not hasattr(model, "openapi_types"):
            return value
        return model(**{name: self.model(model.openapi_types[name], field) for name, field in value.items()})

    def complaints(self, answer):
        """What in an answer is not as the SDK's models say."""
        raw = json.loads(answer.raw_content) if answer.raw_content else {}
        # Every service sends it; half of the models leave it out.
        raw.pop("request_id", None)
        return list(self.differences(type(answer).__name__, raw, ""))

    def differences(self, kind, value, path):
        if value is None:
            return
        if kind.startswith("list["):
            if not isinstance(value, list):
                yield f"{path} is no list"
                return
            for index, item in enumerate(value):
                yield from self.differences(kind[5:-1], item, f"{path}[{index}]")
        elif kind.startswith("dict("):
            if not isinstance(value, dict):
                yield f"{path} is no object"
        elif kind in PRIMITIVES:
            wrong = isinstance(value, bool) and kind in ("int", "float")
            if wrong or not isinstance(value, PRIMITIVES[kind]):
                yield f"{path} is {value!r}, not of type {kind}"
        else:
            model = getattr(self.models, kind)
            if not hasattr(model, "openapi_types"):
                return
            if not isinstance(value, dict):
                yield f"{path} is no object"
                return
            names = {json_name: name for name, json_name in model.attribute_map.items()}
            for json_name, field in value.items():
                if json_name not in names:
                    yield f"{path}.{json_name} is unknown to {kind}"
                else:
                    yield from self.differences(model.openapi_types[names[json_name]], field, f"{path}.{json_name}")


class Kind:
    """The life of one kind of object. Prints `name passed failed`, and each failure on standard error."""

    failed_in_all = 0

    def __init__(self, name):
        self.name, self.passed, self.failed = name, 0, 0

    def __enter__(self):
        return self

    def __exit__(self, _, error, __):
        if error is not None and not isinstance(error, Broken):
            self.that("to its end", False, f"{type(error).__name__}: {error}")
        print(self.name, self.passed, self.failed, flush=True)
        Kind.failed_in_all += self.failed
        return isinstance(error, Exception)

    def that(self, what, holds, otherwise=""):
        """Counts one operation."""
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"{self.name}: {what}: {otherwise}", file=__import__("sys").stderr, flush=True)
        return holds

    def ok(self, what, service, operation, body=None, want=None, **parameters):
        """A call that succeeds, parses, and shows the wanted values, given by path."""
        try:
            answer = service.call(operation, body, **parameters)
        except ServiceResponseException as refused:
            self.that(what, False, str(refused))
            raise Broken from refused
        wrong = service.complaints(answer)
        for path, value in (want or {}).items():
            seen = at(answer, path)
            if seen != value:
                wrong.append(f"{path} is {seen!r}, not {value!r}")
        self.that(what, not wrong, "; ".join(wrong))
        return answer

    def refused(self, what, status, code, service, operation, body=None, **parameters):
        """A call that is refused with this status and code, in words."""
        try:
            service.call(operation, body, **parameters)
            self.that(what, False, f"was not refused with {status} {code}")
        except ServiceResponseException as refused:
            seen = (refused.status_code, refused.error_code)
            readable = bool(refused.error_msg) and not refused.error_msg.startswith("{") and bool(refused.request_id)
            self.that(what, seen == (status, code) and readable, str(refused))

    def gone(self, service, operation, code, **parameters):
        """A look at a deleted object."""
        self.refused("show after deletion", 404, code, service, operation, **parameters)

    def pages(self, service, operation, plural, ids, **parameters):
        """Lists two at a time until the end: each object comes exactly once, in pages of at most two."""
        seen, marker, sizes = [], None, []
        while len(sizes) <= len(ids) + 10:
            answer = service.call(operation, limit=2, marker=marker, **parameters)
            wrong = service.complaints(answer)
            page = [item.id for item in getattr(answer, plural)]
            sizes.append(len(page))
            seen += page
            info = getattr(answer, "page_info", None)
            marker = info.next_marker if info else (page[-1] if len(page) == 2 else None)
            if wrong or not marker:
                break
        complete = sorted(i for i in seen if i in ids) == sorted(ids) and len(set(seen)) == len(seen)
        self.that("list in pages", complete and max(sizes) <= 2 and not wrong, f"pages of {sizes}, {wrong}")


class Broken(Exception):
    """What follows cannot be tried."""


def at(value, path):
    """`loadbalancer.eips.0.eip_address` in an answer; None where the path ends early."""
    for step in path.split("."):
        if value is None:
            return None
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            value = getattr(value, step)
    return value


def camel(operation):
    """create_l7_policy → CreateL7Policy"""
    return re.sub(r"(?:^|_)([a-z0-9])", lambda match: match.group(1).upper(), operation)


def token_credentials(token, project):
    """A token instead of a signature, which the SDK has no class for."""
    credentials = BasicCredentials("none", "none", project)
    sign = credentials.sign_request

    def replace_signature(request):
        request = sign(request)
        del request.header_params["Authorization"]
        request.header_params["X-Auth-Token"] = token
        return request

    credentials.sign_request = replace_signature
    return credentials
