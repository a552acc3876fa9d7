"""A client of openapi-python-client: submits a picture, and polls until it is there."""

from typing import assert_type

from paths_client import AuthenticatedClient
from paths_client.api.default import image_generation, task_status
from paths_client.models import Error, ImageGenerationRequest, ImageGenerationRequestWorkflow
from paths_client.models import TaskStatusResponsePublishedDone as Done


def picture(url: str, key: str) -> str:
    """Where the picture is."""
    client = AuthenticatedClient(base_url=url, token=key)
    request = ImageGenerationRequest(prompt="a lighthouse", workflow=ImageGenerationRequestWorkflow.RR3)
    submitted = image_generation.sync(client=client, body=request)
    assert submitted is not None
    assert not isinstance(submitted, Error), submitted
    task_id = assert_type(submitted.data.id, str)
    while not isinstance(task := task_status.sync(client=client, task_id=task_id), Done):
        assert task is not None
        assert not isinstance(task, Error), task
    return assert_type(task.data.result.image_url, str)
