from my_name import MyName

from skinframe.testing import metric_contract


@metric_contract(MyName())
def test_contract(metric, check):
    check(metric)
