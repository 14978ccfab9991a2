"""The report folder of ``kyomei compare``: text, tables, values and plots of one comparison."""
