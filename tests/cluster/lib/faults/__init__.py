"""Faults: ways to break a cluster on purpose, each of them undone by a command.

A fault is a name, its arguments, what applying it does and what undoing it does. Applying one twice is the same as
once. It is written down in the state directory before it is made, together with what undoing it needs to know.
"""

from __future__ import annotations

from .model import Fault
from .names_service import COREDNS_DOWN, COREDNS_WRONG
from .nodes import AGENT_CRASHLOOP, API_SERVER_PAUSE, KUBE_PROXY_DOWN, KUBE_PROXY_STALE, NO_CNI_CONFIG, STALE_SERVICE_RULES
from .packets import DROP, ISOLATE, MTU, NO_ROUTE

ALL: dict[str, Fault] = {
    fault.name: fault
    for fault in (DROP, ISOLATE, MTU, NO_ROUTE, KUBE_PROXY_DOWN, KUBE_PROXY_STALE, STALE_SERVICE_RULES, COREDNS_DOWN,
                  COREDNS_WRONG, NO_CNI_CONFIG, API_SERVER_PAUSE, AGENT_CRASHLOOP)
}
