from my_name import MyName

from skinframe.testing import verb_contract


@verb_contract(MyName())
def test_contract(verb, check):
    check(verb)
