from my_name import MyName

from skinframe.testing import tracker_contract


@tracker_contract(MyName())
def test_contract(tracker, check):
    check(tracker)
