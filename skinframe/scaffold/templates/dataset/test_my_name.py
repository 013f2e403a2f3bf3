from my_name import MyName

from skinframe.testing import dataset_contract


@dataset_contract(MyName(), MyName(MyName.Config(images=7)))
def test_contract(dataset, check):
    check(dataset)
