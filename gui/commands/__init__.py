"""What the user can do: a table of commands for each menu. What belongs to one view stands in the view's folder."""
