from my_name import MyName

from skinframe.testing import column_contract


@column_contract(MyName())
def test_contract(column, check):
    check(column)
