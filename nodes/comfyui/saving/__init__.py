"""The node that saves the files of jobs as they came: what it says of itself, and where the files go."""
