from my_name import MyName

from skinframe.testing import reasoner_contract


@reasoner_contract(MyName())
def test_contract(reasoner, check):
    check(reasoner)
