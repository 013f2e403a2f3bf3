from my_name import MyName

from skinframe.testing import balancer_contract


@balancer_contract(MyName(), MyName(MyName.Config(decay=0.5)))
def test_contract(balancer, check):
    check(balancer)
