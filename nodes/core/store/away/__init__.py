"""What a host keeps in its state folder for the time in which the record cannot be reached."""
