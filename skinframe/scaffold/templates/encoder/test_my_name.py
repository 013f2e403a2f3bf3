from my_name import MyName

from skinframe.testing import encoder_contract


@encoder_contract(MyName(), MyName(MyName.Config(grid=3)))
def test_contract(encoder, check):
    check(encoder)
