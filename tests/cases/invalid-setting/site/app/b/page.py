revalidate = 60 * 60
if True:
    max_duration = 5
runtime = "python"
runtime = "python"
