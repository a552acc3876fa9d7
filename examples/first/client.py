"""A client as short as a client can be: submit, poll until the end, return the picture's URL."""

import time

import httpx


def draw(url, key, prompt, deadline=300):
    """The URL of the picture, or None for a task that failed."""
    with httpx.Client(headers={"x-api-key": key}, timeout=2) as http:
        answer = http.post(url, params={"endpoint": "image_generation"}, json={"prompt": prompt})
        task_id = answer.json()["data"]["id"]
        if not isinstance(task_id, str):
            raise TypeError(f"{task_id!r} is no id of a task")
        query = {"endpoint": "task_status", "task_id": task_id}
        until = time.monotonic() + deadline
        while time.monotonic() < until:
            data = http.get(url, params=query).json()["data"]
            if data["status"] in ("completed", "failed"):
                return data["result"] and data["result"]["image_url"]
            time.sleep(3)
        raise TimeoutError(f"task {task_id} has not ended")
