"""Templates name only what there is: a filter that is missing inside a branch breaks only when somebody gets there."""

import pytest
from jinja2 import nodes

from cadenza.web.rendering import environment

_TEMPLATES = environment().list_templates()


@pytest.mark.parametrize("template", _TEMPLATES)
def test_every_filter_and_test_of_a_template_exists(template: str) -> None:
    made = environment()
    assert made.loader is not None
    tree = made.parse(made.loader.get_source(made, template)[0])
    assert {node.name for node in tree.find_all(nodes.Filter)} <= set(made.filters)
    assert {node.name for node in tree.find_all(nodes.Test)} <= set(made.tests)
