from my_name import MyName

from skinframe.testing import report_section_contract


@report_section_contract(MyName())
def test_contract(report_section, check):
    check(report_section)
