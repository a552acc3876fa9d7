"""What keeps HTTP clients from asking a proxy for this machine: the hosts that need none are added to those there."""

from typing import Final

import pytest

from safelight.mockserver.model.addresses import without_proxy

HERE: Final = "127.0.0.1,localhost,::1"

#: What an environment says of hosts without a proxy -> what it says then.
FOUND: Final[list[tuple[dict[str, str], dict[str, str]]]] = [
    ({}, {"no_proxy": HERE, "NO_PROXY": HERE}),
    ({"NO_PROXY": "a.example"}, {"no_proxy": f"a.example,{HERE}", "NO_PROXY": f"a.example,{HERE}"}),
    ({"no_proxy": "a.example, .b"}, {"no_proxy": f"a.example,.b,{HERE}", "NO_PROXY": f"a.example,.b,{HERE}"}),
    ({"no_proxy": "a", "NO_PROXY": "b"}, {"no_proxy": f"a,{HERE}", "NO_PROXY": f"b,{HERE}"}),
    ({"NO_PROXY": "localhost,"}, dict.fromkeys(("no_proxy", "NO_PROXY"), "localhost,127.0.0.1,::1")),
    ({"NO_PROXY": "*"}, dict.fromkeys(("no_proxy", "NO_PROXY"), "*")),
    (
        {"npm_config_noproxy": "a", "NPM_CONFIG_NO_PROXY": "", "HTTP_PROXY": "http://127.0.0.1:9"},
        {"no_proxy": HERE, "NO_PROXY": HERE, "npm_config_noproxy": f"a,{HERE}", "NPM_CONFIG_NO_PROXY": HERE},
    ),
]


@pytest.mark.parametrize(("environment", "found"), FOUND)
def test_this_machine_is_added_to_the_hosts_that_need_no_proxy(
    environment: dict[str, str], found: dict[str, str]
) -> None:
    assert without_proxy(environment) == found
    assert without_proxy({**environment, **found}) == found
