from my_name import MyName

from skinframe.testing import column_contract


@column_contract(MyName(), MyName(MyName.Config(strength=0.5)))
def test_contract(column, check):
    check(column)
