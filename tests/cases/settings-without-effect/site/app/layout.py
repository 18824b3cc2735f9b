max_duration = 5
