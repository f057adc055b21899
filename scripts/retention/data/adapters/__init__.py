"""One small module per kind of data set; all answer the same two questions.

`read_index(definition, raw_folder)` lists the images: a table with the columns `sample_id`, `path`,
`class_name`, `group` and `official_split` ("train", "test" or ""), one row an image.
`open_image(definition, path)` gives one image as `PIL.Image`.

To add one: write a module with these two functions, name it here and in `schemas/`.
"""

from retention.data.adapters import csv_table, cub200, imagefolder, octdl, package

ADAPTERS = {
    "package": package,
    "imagefolder": imagefolder,
    "csv": csv_table,
    "octdl": octdl,
    "cub200": cub200,
}
