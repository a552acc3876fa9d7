"""A client that is wrong in four ways, each of them seen in production."""

import time

import httpx


def draw(url: str, key: str, width: int = 512) -> str | None:
    """Submit, poll, return the picture's URL."""
    with httpx.Client(headers={"x-api-key": key}) as http:
        task_id = submit(http, url, width)
        return wait(http, url, task_id) if task_id else None


def submit(http: httpx.Client, url: str, width: int) -> str | None:
    """The id of a task."""
    for _ in range(5):
        request = {"prompt": "a lighthouse", "width": width}
        try:
            answer = http.post(url, params={"endpoint": "image_generation"}, json=request)
        except httpx.TransportError:
            continue  # wrong: the task may be queued and paid for, and this pays for another
        if answer.is_success:
            task_id: str = answer.json()["data"]["id"]
            return task_id
        width //= 2  # wrong: a limit that is known is not found out by asking
    return None


def wait(http: httpx.Client, url: str, task_id: str) -> str | None:
    """The URL of its picture."""
    picture: str | None = None
    for _ in range(10):
        answer = http.get(url, params={"endpoint": "task_status", "task_id": task_id})
        if answer.is_error:
            return None  # wrong: a bad poll says nothing about the task
        data = answer.json()["data"]
        if data["status"] == "completed":
            picture = data["result"]["image_url"]  # wrong: this is the end, and it goes on
        time.sleep(2)
    return picture
