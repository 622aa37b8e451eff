"""``gridzero bench day``: a day in which a person changes nearly every setting."""
