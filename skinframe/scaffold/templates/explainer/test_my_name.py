from my_name import MyName

from skinframe.testing import explainer_contract


@explainer_contract(MyName())
def test_contract(explainer, check):
    check(explainer)
