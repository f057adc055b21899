"""One small module per kind of data set, of the name it has in definitions; all answer the same questions.

`read_index(definition, raw_folder)` lists the images: a table with the columns `sample_id`, `path`,
`class_name`, `group` and `official_split` ("train", "test" or ""), one row an image; and `label` where classes are
numbered already.
`open_image(definition, path)` gives one image as `PIL.Image`.
`fetch(definition, raw_folder)`, where a module has it, downloads what `files` cannot describe.

To add one, see CONTRIBUTING.md.
"""
