from my_name import MyName

from skinframe.testing import calibrator_contract


@calibrator_contract(MyName(), MyName(MyName.Config(steps=5)))
def test_contract(calibrator, check):
    check(calibrator)
