"""Files and folders that appear whole, locks, strict JSON, YAML settings, packaged data and addresses."""
