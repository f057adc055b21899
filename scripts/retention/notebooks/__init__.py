"""What notebooks import: the commands as functions that take and return data frames."""
