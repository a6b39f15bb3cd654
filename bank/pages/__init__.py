"""The pages people use: templates over the bank's own calls, in Chinese and English."""

from bank.pages.site import Demo, add_pages, problem_page

__all__ = ["Demo", "add_pages", "problem_page"]
