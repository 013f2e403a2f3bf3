from my_name import MyName

from skinframe.testing import prompt_contract


@prompt_contract(MyName(), MyName(MyName.Config(metadata=False)))
def test_contract(prompt, check):
    check(prompt)
