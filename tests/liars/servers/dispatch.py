"""Defects about which operation a request is for."""

from http import HTTPStatus
from urllib.parse import parse_qsl

from liars.servers.changes import VALID, endpoint, is_submit, valid, with_document, with_query
from liars.servers.server import BadServer, defect
from safelight.contracts.operations import operations
from safelight.mockserver.model.messages import Reply, Request, failure, success

_UNKNOWN = failure(404, "Unknown endpoint")


@defect("S20")
def unknown_endpoints_answer_the_balance(server: BadServer, request: Request) -> Reply:
    """Answers an endpoint that does not exist with the balance."""
    is_known = endpoint(request) in {"", *operations()}
    return server.ask(request if is_known else with_query(request, endpoint="user_balance")._replace(method="GET"))


@defect("S20")
def no_endpoint_is_a_success(server: BadServer, request: Request) -> Reply:
    """Answers a request without an endpoint with 200."""
    reply = server.ask(request)
    is_nameless = request.path.endswith("/index.php") and not endpoint(request)
    return success({"service": "up"}) if is_nameless else reply


@defect("S20")
def unknown_endpoints_are_400(server: BadServer, request: Request) -> Reply:
    """Answers an endpoint that does not exist with 400."""
    reply = server.ask(request)
    is_unknown = bool(endpoint(request)) and endpoint(request) not in operations()
    return reply._replace(status=HTTPStatus.BAD_REQUEST) if is_unknown else reply


@defect("S20")
def ignores_the_case_of_endpoints(server: BadServer, request: Request) -> Reply:
    """Takes Task_Status for task_status."""
    name = endpoint(request)
    return server.ask(with_query(request, endpoint=name.lower()) if name != name.lower() else request)


@defect("S21")
def wants_the_endpoint_first(server: BadServer, request: Request) -> Reply:
    """Finds the endpoint only where it is the first parameter of the query."""
    names = [name for name, _ in parse_qsl(request.query, keep_blank_values=True)]
    return _UNKNOWN if "endpoint" in names[1:] and names[0] != "endpoint" else server.ask(request)


@defect("S21")
def does_not_decode_names(server: BadServer, request: Request) -> Reply:
    """Does not decode a percent-encoded endpoint."""
    written = [part for part in request.query.split("&") if part.startswith("endpoint=")]
    return _UNKNOWN if any("%" in part for part in written) else server.ask(request)


@defect("S22")
def a_second_endpoint_submits_on_get(server: BadServer, request: Request) -> Reply:
    """Checks the method of one endpoint and runs the other, where a GET names two."""
    names = [value for name, value in parse_qsl(request.query) if name == "endpoint"]
    if request.method == "GET" and len(names) > 1 and "image_generation" in names:
        posted = valid(with_query(request, endpoint="image_generation"))
        return server.ask(posted._replace(method="POST"))
    return server.ask(request)


@defect("S23")
def submits_on_get(server: BadServer, request: Request) -> Reply:
    """Creates a task on a GET."""
    if request.method != "GET" or not is_submit(request):
        return server.ask(request)
    return server.ask(with_document(request, **VALID)._replace(method="POST"))


@defect("S23")
def polls_by_post(server: BadServer, request: Request) -> Reply:
    """Answers a POST as it answers a GET, where a task is asked for."""
    is_post = request.method == "POST" and endpoint(request) == "task_status"
    return server.ask(request._replace(method="GET", body=b"") if is_post else request)


@defect("S23")
def wrong_methods_are_404(server: BadServer, request: Request) -> Reply:
    """Answers a wrong method with 404."""
    reply = server.ask(request)
    return reply._replace(status=404) if reply.status == HTTPStatus.METHOD_NOT_ALLOWED else reply
