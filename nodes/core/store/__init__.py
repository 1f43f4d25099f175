"""What is kept on the disk: the record of paid jobs, and their files."""
