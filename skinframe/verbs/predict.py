"""`skinframe predict`: a finished run on new images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from skinframe.verbs.command_from_signature import Command, Option, words_about
from skinframe.verbs.shared_options import Run, RunPlugins

if TYPE_CHECKING:
    from skinframe.predicting.predict_images import ImagePredictions


def predict(
    run: Run,
    images: Annotated[
        Sequence[str | Path],
        Option(
            "JPEG, PNG or DICOM files, folders of them, or a table with a column image and metadata", metavar="IMAGE"
        ),
    ],
    *,
    metadata: Annotated[
        Mapping[str, str] | None,
        Option(
            "metadata of the patient, such as age=60; repeatable",
            "--meta",
            "FIELD=VALUE",
            words_about("FIELD=VALUE", "age=60"),
        ),
    ] = None,
    out: Annotated[
        str | Path | None, Option("folder for heat maps and predictions.csv, or the CSV file itself", metavar="FOLDER")
    ] = None,
    plugins: RunPlugins = (),
    allow_burned_in: Annotated[
        bool, Option("accept DICOM files that do not state that no text is burned into the pixels")
    ] = False,
) -> ImagePredictions:
    """Return probabilities, rationale and heat map for new images: files, folders, or a table with metadata.

    `out` is a folder, or a CSV file. `allow_burned_in` accepts DICOM files that do not state that no text is burned
    into their pixels. Raises DataError, RecipeError.
    """
    from skinframe.predicting.predict_images import predict as predict_files

    folder = Path(out) if out is not None else None
    files = [Path(file) for file in plugins]
    return predict_files(Path(run), [Path(image) for image in images], metadata, folder, files, allow_burned_in)


COMMAND = Command("predict", predict, "probabilities, rationale and heat map for new images")
