"""The API keeps to its own OpenAPI description, whatever it is sent."""

import warnings

import pytest

from saccade.serve.app import create_app
from saccade.serve.settings import ServeSettings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    from schemathesis.specs.openapi.checks import positive_data_acceptance

from hypothesis import HealthCheck, given, settings

from tests.serve.helpers import TWO, opened

pytestmark = pytest.mark.filterwarnings("default")
EXAMPLES = 8


@pytest.fixture(scope="module")
def described(tmp_path_factory):
    """The description, as the application gives it."""
    home = tmp_path_factory.mktemp("home")
    return schemathesis.openapi.from_dict(create_app(ServeSettings(home=home)).openapi())


@pytest.mark.slow
def test_nothing_that_is_sent_breaks_the_server(described, client):
    """Every route, with random and with nearly right input: no 5xx, and replies as described."""
    session = opened(client).rpartition("/")[2]
    client.put(f"/api/sessions/{session}/strokes", json=TWO)
    image = client.get("/api/images").json()[0]["id"]
    known = {"session": session, "image": image}
    checked = 0
    for result in described.get_all_operations():
        operation = result.ok()

        @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
        @given(operation.as_strategy())
        def check(case):
            nonlocal checked
            if checked % 2:  # every other time something that is there
                case.path_parameters = {
                    k: known.get(k, v) for k, v in (case.path_parameters or {}).items()
                }
            checked += 1
            reply = case.call(base_url=str(client.base_url).rstrip("/"))
            assert reply.status_code < 500 or reply.status_code == 503, reply.text
            # No description can say which bytes are an image.
            case.validate_response(reply, excluded_checks=[positive_data_acceptance])

        check()
    assert checked > 100
    assert client.get("/api/health").status_code == 200
