import skinframe
from skinframe.components import RunData, SectionContent, SectionNumber, SectionRow, SectionTable


class MyName(skinframe.ReportSection):
    """How often each class is predicted, beside how often it is true."""

    name = "my_name"
    title = "Predicted and true class shares"
    place = 1000  # after the report's own sections

    def build(self, run: RunData) -> SectionContent | None:
        if not run.test.ids:
            return None
        predicted = run.test.calibrated.argmax(axis=1)
        rows = tuple(
            SectionRow(
                name=name,
                cells=(
                    SectionNumber(value=float((predicted == place).mean())),
                    SectionNumber(value=float((run.test.labels == place).mean())),
                ),
            )
            for place, name in enumerate(run.classes)
        )
        sentence = "Shares of the test set; a class that is predicted too rarely is easily missed."
        table = SectionTable(title="Class shares", sentence=sentence, head=("predicted", "true"), rows=rows)
        return SectionContent(tables=(table,))


@skinframe.hookimpl
def register_report_sections() -> list[type[skinframe.ReportSection]]:
    return [MyName]
