"""A real Kubernetes of several nodes on one Linux machine, without a container engine or a registry.

Reading order: `names` (what everything is called and which address it has), `state` (the one directory),
`up` (the steps in order), then whatever a step calls. `faults/` breaks things on purpose, and mends them.

Two rules hold everywhere:
* Nothing outside the state directory is made whose name does not follow from `settings.json`, and that file is
  written first. So `down` can clear up after an `up` that was killed at any moment.
* Nothing leaves the machine. The control plane and the nodes live in network namespaces that have no way out:
  not a filter that might be forgotten, but no route and no link to the machine's own network except one /30 that
  carries the API server's port.
"""
