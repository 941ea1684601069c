"""Commands of the documents, which the tests run word for word."""

import re


def block(text, name):
    """What the code block after the mark <!-- name --> contains."""
    (found,) = re.findall(rf"<!-- {name} -->\n( *)```\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE)
    return found[1]


def commands(text, name):
    """The same, as root runs it."""
    return block(text, name).replace("sudo ", "")
