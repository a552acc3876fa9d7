"""What tests of clients use: `Safelight` for plain Python, and what the pytest plugin is made of.

Nothing is imported until it is used: pytest imports this package in every run of every user.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from safelight.mockserver.control.client import ControlClient, ControlRefused
    from safelight.mockserver.control.control import Control
    from safelight.mockserver.faults.rules import FaultRule
    from safelight.mockserver.faults.scenarios import Scenario, scenarios
    from safelight.mockserver.model.clock import RealClock, VirtualClock
    from safelight.mockserver.model.ledger import Ledger
    from safelight.mockserver.model.task import Task
    from safelight.mockserver.model.task_profile import TaskProfile
    from safelight.mockserver.service.service import Service
    from safelight.mockserver.sessions.opening import task_profile
    from safelight.mockserver.transports.asgi import create_app
    from safelight.testing.safelight import Safelight
    from safelight.traffic.exchange import Exchange
    from safelight.traffic.expectations import UnmetExpectation

__all__ = [
    "Control",
    "ControlClient",
    "ControlRefused",
    "Exchange",
    "FaultRule",
    "Ledger",
    "RealClock",
    "Safelight",
    "Scenario",
    "Service",
    "Task",
    "TaskProfile",
    "UnmetExpectation",
    "VirtualClock",
    "create_app",
    "scenarios",
    "task_profile",
]

#: Name -> the module that has it.
_MODULES: Final = {
    "Control": "safelight.mockserver.control.control",
    "FaultRule": "safelight.mockserver.faults.rules",
    "Ledger": "safelight.mockserver.model.ledger",
    "Service": "safelight.mockserver.service.service",
    "Task": "safelight.mockserver.model.task",
    "create_app": "safelight.mockserver.transports.asgi",
    "ControlClient": "safelight.mockserver.control.client",
    "Exchange": "safelight.traffic.exchange",
    "ControlRefused": "safelight.mockserver.control.client",
    "RealClock": "safelight.mockserver.model.clock",
    "Safelight": "safelight.testing.safelight",
    "Scenario": "safelight.mockserver.faults.scenarios",
    "TaskProfile": "safelight.mockserver.model.task_profile",
    "UnmetExpectation": "safelight.traffic.expectations",
    "VirtualClock": "safelight.mockserver.model.clock",
    "scenarios": "safelight.mockserver.faults.scenarios",
    "task_profile": "safelight.mockserver.sessions.opening",
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
