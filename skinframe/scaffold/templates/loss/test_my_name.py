from my_name import MyName

from skinframe.testing import loss_contract


@loss_contract(MyName(), MyName(MyName.Config(q=0.2)))
def test_contract(loss, check):
    check(loss)
