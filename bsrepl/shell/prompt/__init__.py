"""The prompt: the only importer of ptpython."""
