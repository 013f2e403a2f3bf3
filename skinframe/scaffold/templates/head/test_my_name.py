from my_name import MyName

from skinframe.testing import head_contract


@head_contract(MyName(), MyName(MyName.Config(width=5)))
def test_contract(head, check):
    check(head)
